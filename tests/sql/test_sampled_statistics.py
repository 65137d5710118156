"""Statistics of windows that are read from samples, against the same computed in Python."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from psycopg import Connection
from psycopg.rows import dict_row

from tests.sql.calls import NOW, Json, ask, fact, histogram, ingest_facts, ingest_metrics, metric

MICROSECOND = timedelta(microseconds=1)
STEP = timedelta(minutes=1)
WINDOW = timedelta(seconds=150)
# How far before a window the reading may be that its first growth is counted from.
REACH = timedelta(minutes=5)
BEGIN = NOW.replace(second=0, microsecond=0) - timedelta(minutes=10)
INSTANTS = [BEGIN + n * STEP for n in range(4)]
EVERY = ["last", "p50", "p90", "p95", "p99", "rate_per_second"]


@dataclass(frozen=True)
class Reading:
    """A value of a series."""

    source: str
    zone: str | None
    after: timedelta
    value: float

    @property
    def item(self) -> Json:
        """It as an item, without its name."""
        labels = {} if self.zone is None else {"zone": self.zone}
        return {
            "source": self.source,
            "labels": labels,
            "value": self.value,
            "ts": (BEGIN + self.after).isoformat(),
        }


# At and beside the edges of the windows and of the reach of the first growth.
EDGES = [
    edge + beside * MICROSECOND
    for edge in (
        -WINDOW - REACH,
        -WINDOW - REACH + STEP,
        -WINDOW,
        -WINDOW + STEP,
        timedelta(),
        STEP,
        3 * STEP,
    )
    for beside in (-1, 0, 1)
]
READINGS = [
    Reading("web", "b", after, float(place * place % 17)) for place, after in enumerate(EDGES)
]
# What grew long ago is nothing here, and neither is what has one reading.
READINGS += [
    Reading("web", None, after, 100.0 * place)
    for place, after in enumerate(
        [-WINDOW - REACH + MICROSECOND, timedelta(seconds=20), timedelta(seconds=70)]
    )
]
READINGS += [
    Reading("shop", "b", -WINDOW - REACH + STEP, 3.0),
    Reading("shop", "b", STEP / 2, 60.0),
    Reading("mail", None, -WINDOW - REACH + STEP + MICROSECOND, 4.0),
    Reading("mail", None, STEP / 2, 19.0),
    Reading("shop", "c", STEP, 7.0),
    Reading("mail", "c", -WINDOW - REACH, 1.0),
    Reading("mail", "c", timedelta(seconds=5), 8.0),
    # The greater one of two at the same time is the last one.
    Reading("mail", "b", 3 * STEP, 2.0),
]
SERIES = {(reading.source, reading.zone) for reading in READINGS}


def group(reading: Reading, group_by: str | None) -> str | None:
    return {None: None, "source": reading.source}.get(group_by, reading.zone or "")


def growth(readings: Iterable[Reading], instant: timedelta) -> float:
    """What counters have grown in the window that ends there."""
    found = 0.0
    for series in SERIES:
        known = sorted(
            (each for each in readings if (each.source, each.zone) == series),
            key=lambda each: each.after,
        )
        for before, after in pairwise(known):
            within = instant - WINDOW < after.after <= instant
            if within and before.after > instant - WINDOW - REACH:
                grown = after.value - before.value
                share = min(1.0, WINDOW / (after.after - before.after))
                found += share * (grown if grown >= 0 else after.value)
    return found


def quantile(values: list[float], share: float) -> float:
    rank = share * (len(values) - 1)
    below, above = values[int(rank)], values[min(int(rank) + 1, len(values) - 1)]
    return below + (above - below) * (rank % 1)


def expected(kind_type: str, group_by: str | None, readings: list[Reading]) -> dict[Any, Json]:
    answer = {}
    for instant in INSTANTS:
        since = instant - BEGIN
        for label in {group(reading, group_by) for reading in readings}:
            grouped = [each for each in readings if group(each, group_by) == label]
            within = sorted(
                (each for each in grouped if since - WINDOW < each.after <= since),
                key=lambda each: (each.after, each.value),
            )
            if not within:
                continue
            values = sorted(each.value for each in within)
            rate = growth(grouped, since) if kind_type == "counter" else len(values)
            answer[instant, label] = {
                "count": len(values),
                "sum": sum(values),
                "avg": sum(values) / len(values),
                "min": values[0],
                "max": values[-1],
                "last": within[-1].value,
                "newest": BEGIN + within[-1].after,
                **{f"p{part}": quantile(values, part / 100) for part in (50, 90, 95, 99)},
                "rate_per_second": rate / WINDOW.total_seconds(),
            }
    return answer


@pytest.fixture
def known(db: Connection) -> Connection:
    """Two kinds with the same readings, and a third one; the newest ones are sent first."""
    for name, kind_type in (("load", "gauge"), ("visits", "counter")):
        ingest_metrics(
            db,
            [{"name": name, "type": kind_type, **each.item} for each in reversed(READINGS)],
        )
    ingest_metrics(db, metric("other", type="counter", value=5, ts=BEGIN.isoformat()))
    return db


def measured(
    db: Connection,
    kinds: list[str],
    series: list[int] | None = None,
    group_by: str | None = None,
    statistics: list[str] = EVERY,
    until: int = 3,
) -> list[Json]:
    with db.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            "select kind.name, found.at, (found.statistics).* from internal.sampled_statistics("
            " array(select kind_id from data.kind where name = any(%s)), %s, %s, %s, %s, %s, %s, %s"
            ") as found inner join data.kind on (found.statistics).kind_id = kind.kind_id",
            [kinds, series, group_by, WINDOW, BEGIN, INSTANTS[until], STEP, statistics],
        ).fetchall()


def are_close(found: list[Json], wanted: dict[Any, Json]) -> bool:
    """Whether the rows are those that are expected, but for the rounding of their numbers."""
    assert {(row["at"], row["label"]) for row in found} == set(wanted)
    for row in found:
        one = dict(wanted[row["at"], row["label"]])
        assert row["newest"] == one.pop("newest")
        assert {name: row[name] for name in one} == pytest.approx(one)
    return len(found) == len(wanted)


@pytest.mark.parametrize("group_by", [None, "source", "label.zone"])
@pytest.mark.parametrize(("kind", "kind_type"), [("load", "gauge"), ("visits", "counter")])
def test_each_window_has_the_statistics_of_its_samples(
    known: Connection, kind: str, kind_type: str, group_by: str | None
) -> None:
    assert are_close(
        measured(known, [kind], None, group_by), expected(kind_type, group_by, READINGS)
    )


def test_two_kinds_are_measured_as_each_is_by_itself(known: Connection) -> None:
    both = measured(known, ["load", "visits"], None, "label.zone")

    for kind, kind_type in (("load", "gauge"), ("visits", "counter")):
        wanted = expected(kind_type, "label.zone", READINGS)
        assert are_close([row for row in both if row["name"] == kind], wanted)


@pytest.mark.parametrize("kind", ["load", "visits"])
def test_series_that_are_not_named_are_not_measured(known: Connection, kind: str) -> None:
    number = (
        "select series_id from data.series inner join data.kind using (kind_id)"
        " inner join data.source using (source_id)"
        " where kind.name = %s and source.name = 'web' and labels ->> 'zone' = 'b'"
    )
    readings = [each for each in READINGS if (each.source, each.zone) == ("web", "b")]

    found = measured(known, [kind], [ask(known, number, kind)])

    assert are_close(found, expected("counter" if kind == "visits" else "gauge", None, readings))


@pytest.mark.parametrize("kind", ["load", "visits"])
def test_one_instant_has_the_answer_that_it_has_among_others(known: Connection, kind: str) -> None:
    found = measured(known, [kind], group_by="source", until=0)
    others = measured(known, [kind], group_by="source")

    assert found
    assert sorted(found, key=lambda row: row["label"]) == sorted(
        (row for row in others if row["at"] == BEGIN), key=lambda row: row["label"]
    )


def test_the_rate_alone_is_that_among_others(known: Connection) -> None:
    rates = [
        {(row["at"], row["label"]): row["rate_per_second"] for row in found}
        for found in (
            measured(known, ["visits"], group_by="source", statistics=["rate_per_second"]),
            measured(known, ["visits"], group_by="source"),
        )
    ]

    assert rates[0] == rates[1]
    assert any(rates[0].values())


def test_the_last_value_alone_is_that_among_others(known: Connection) -> None:
    alone, among = (
        {row["at"]: row["last"] for row in measured(known, ["load"], statistics=statistics)}
        for statistics in (["last"], EVERY)
    )

    assert alone == among


def test_what_is_not_named_is_not_computed(known: Connection) -> None:
    for row in measured(known, ["load"], statistics=[]):
        assert [row[name] for name in ("last", "p50", "p90", "p95", "p99")] == [None] * 5


def test_facts_without_a_value_count_and_have_no_other_statistic(db: Connection) -> None:
    ingest_facts(
        db,
        [
            fact(value=4, ts=(BEGIN - STEP).isoformat()),
            fact(value=8, ts=(BEGIN - STEP / 2).isoformat()),
            fact(ts=BEGIN.isoformat()),
        ],
    )

    (found,) = measured(db, ["Fact:Deal"], until=0)

    assert (found["count"], found["avg"], found["last"], found["p50"]) == (3, 6, 8, 6)


def test_percentiles_of_histograms_are_those_of_their_buckets(db: Connection) -> None:
    counts = [0, 60, 32, 4, 4, 0]
    ingest_metrics(db, [histogram([1, 2, 4, 8, 16], counts, 210.0, ts=(BEGIN - STEP).isoformat())])

    (found,) = measured(db, ["latency"], until=0)

    assert (found["count"], found["min"], found["max"], found["last"]) == (100, 1, 16, None)
    bounds = {"p50": (1, 2), "p90": (2, 4), "p95": (4, 8), "p99": (8, 16)}
    assert {
        name: (low if low < found[name] <= high else found[name])
        for name, (low, high) in bounds.items()
    } == {name: low for name, (low, high) in bounds.items()}
    (plain,) = measured(db, ["latency"], until=0, statistics=[])
    assert [plain[name] for name in bounds] == [None] * 4


def test_the_average_of_a_histogram_is_its_sum_by_its_count_though_beyond_its_bounds(
    db: Connection,
) -> None:
    # A sum is admitted with the rounding of a sum of 32-bit numbers.
    ingest_metrics(db, [histogram([1, 2], [0, 10, 0], 20.00001, ts=(BEGIN - STEP).isoformat())])

    (found,) = measured(db, ["latency"], until=0)

    assert found["avg"] == pytest.approx(2.000001, rel=1e-12)
    assert found["max"] == 2


@pytest.mark.parametrize(("count", "side"), [(3, "above"), (6, "below")])
def test_the_average_of_equal_values_is_their_value(db: Connection, count: int, side: str) -> None:
    computed = sum([0.1] * count) / count
    assert (computed > 0.1) is (side == "above")
    ingest_metrics(
        db,
        [metric("load", value=0.1, ts=(BEGIN - n * MICROSECOND).isoformat()) for n in range(count)],
    )

    (found,) = measured(db, ["load"], until=0)

    assert found["avg"] == 0.1
