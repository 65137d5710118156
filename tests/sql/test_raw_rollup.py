"""Buckets that are computed from samples, against the same computed in Python."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby, pairwise
from typing import Any

import pytest
from psycopg import Connection
from psycopg.rows import dict_row

from tests.sql.calls import NOW, Json, ask, fact, histogram, ingest_facts, ingest_metrics, metric

MOMENT = timedelta(microseconds=1)
HOUR = timedelta(hours=1)
BEGIN = NOW.replace(minute=0, second=0, microsecond=0) - timedelta(hours=3)
END = BEGIN + HOUR
TOTALS = {
    *("kind", "source", "kind_id", "series_id", "bucket"),
    *("observations", "value_count", "value_sum", "value_min", "value_max", "last_at"),
}
HALF = HOUR / 2
TYPES = {"load": "gauge", "visits": "counter", "Fact:Sale": "fact", "latency": "histogram"}


@dataclass(frozen=True)
class Sample:
    """A sample; after says how long after BEGIN."""

    kind: str
    source: str
    after: timedelta
    value: float | None
    observations: int = 1
    low: float | None = None
    high: float | None = None


def numbers(kind: str, source: str, *values: tuple[timedelta, float | None]) -> list[Sample]:
    return [Sample(kind, source, after, value) for after, value in values]


MINUTE = timedelta(minutes=1)
SAMPLES = [
    *numbers(
        "load",
        "web",
        (-MOMENT, 1000),
        (timedelta(), 1),
        (MINUTE, 1.001),
        (2 * MINUTE, -3),
        (HALF - MOMENT, 0),
        (HALF, 7),
        (HOUR - MOMENT, 5),
        (HOUR, -1000),
    ),
    *numbers("load", "shop", (MINUTE, 900.5), (HOUR - MOMENT, 6), (HOUR, 2000)),
    *numbers(
        "visits",
        "web",
        (-MOMENT, 5),
        (MINUTE, 10),
        (2 * MINUTE, 30),
        (3 * MINUTE, 4),
        (40 * MINUTE, 9),
        (HOUR, 500),
    ),
    *numbers("visits", "shop", (3 * MINUTE, 8), (HOUR, 900)),
    # Several at one time, and the newest one has no value.
    *numbers(
        "Fact:Sale",
        "web",
        (MINUTE, 3),
        (2 * MINUTE, 8),
        (2 * MINUTE, 9),
        (2 * MINUTE, 7),
        (3 * MINUTE, None),
        (HOUR, 70),
    ),
    *numbers("Fact:Sale", "shop", (4 * MINUTE, None)),
    Sample("latency", "web", -MOMENT, 50, 5, 8, 16),
    Sample("latency", "web", MINUTE, 6, 4, 1, 2),
    Sample("latency", "web", 2 * MINUTE, 30, 5, 4, 8),
    Sample("latency", "shop", 40 * MINUTE, 3, 2, 1, 2),
    Sample("latency", "web", HOUR, 50, 5, 8, 16),
]
WITHIN = [each for each in SAMPLES if timedelta() <= each.after < HOUR]


@pytest.fixture
def known(db: Connection) -> Connection:
    """The samples, the newest ones first."""
    for kind, kind_type in TYPES.items():
        items = []
        for each in reversed([each for each in SAMPLES if each.kind == kind]):
            ts = (BEGIN + each.after).isoformat()
            if kind_type == "histogram":
                bounds = [1.0, 2.0, 4.0, 8.0, 16.0]
                counts = [0] * 6
                counts[bounds.index(each.high or 0)] = each.observations
                items.append(histogram(bounds, counts, each.value or 0, source=each.source, ts=ts))
            elif kind_type == "fact":
                more = {} if each.value is None else {"value": each.value}
                items.append(fact(kind, each.source, fact_id=f"{len(items)}", ts=ts, **more))
            else:
                items.append(metric(kind, each.source, each.value, ts=ts, type=kind_type))
        (ingest_facts if kind_type == "fact" else ingest_metrics)(db, items)
    return db


def expected(samples: list[Sample]) -> Json:
    """What a bucket says of samples that are in the order of their times."""
    kind_type = TYPES[samples[0].kind]
    ordered = sorted(samples, key=lambda each: (each.after, each.value or 0))
    valued = [each for each in ordered if each.value is not None]
    values = [each.value for each in valued if each.value is not None]
    answer: Json = {
        "observations": sum(each.observations for each in samples),
        "value_count": sum(each.observations for each in valued),
        "value_sum": sum(values) if values else None,
        "last_at": BEGIN + ordered[-1].after,
    }
    if kind_type == "histogram":
        low, high = ([getattr(each, edge) for each in samples] for edge in ("low", "high"))
        return answer | {
            "squared_deviations": None,
            "value_min": min(low),
            "value_max": max(high),
            "value_last": None,
            "value_last_at": None,
        }
    mean = sum(values) / len(values) if values else 0
    return answer | {
        "squared_deviations": sum((value - mean) ** 2 for value in values) if values else None,
        "value_min": min(values, default=None),
        "value_max": max(values, default=None),
        "value_last": values[-1] if values else None,
        "value_last_at": BEGIN + valued[-1].after if valued else None,
    }


def grown(samples: list[Sample]) -> Json:
    """What a bucket of a series says of its growth."""
    if TYPES[samples[0].kind] != "counter":
        return {"value_first": None, "value_first_at": None, "increase": None}
    ordered = sorted(samples, key=lambda each: each.after)
    values = [each.value or 0 for each in ordered]
    return {
        "value_first": values[0],
        "value_first_at": BEGIN + ordered[0].after,
        "increase": sum(
            after - before if after >= before else after for before, after in pairwise(values)
        ),
    }


def sketches(db: Connection, samples: list[Sample], with_bins: list[float] | None) -> Json:
    """The sums of the sketches of values, or of the buckets of histograms by their middles."""
    values = with_bins
    if values is None:
        values = [each.value for each in samples if each.value is not None]
    values = [float(value) for value in values]
    row = db.execute(
        "select sum(internal.sketch(value)), sum(internal.sketch_other(value))"
        " from unnest(%s::double precision[]) as value",
        [values],
    ).fetchone()
    assert row is not None
    return {"sketch": row[0], "sketch_other": row[1]}


def middles(samples: list[Sample]) -> list[float] | None:
    if TYPES[samples[0].kind] != "histogram":
        return None
    return [
        ((each.low or 0) + (each.high or 0)) / 2
        for each in samples
        for _ in range(each.observations)
    ]


def read(db: Connection, function: str, kinds: list[str], *more: object) -> list[Json]:
    with db.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            "select kind.name as kind, source.name as source, found.*"
            f" from {function}("
            f"array(select kind_id from data.kind where name = any(%s)), %s, %s"
            f"{', %s' * (len(more) - 2)}) as found"
            " inner join data.kind using (kind_id) left join data.series using (series_id)"
            " left join data.source using (source_id)".encode(),
            [kinds, *more],
        ).fetchall()


def compare(db: Connection, row: Json, samples: list[Sample], *, by_series: bool) -> None:
    wanted = expected(samples) | sketches(db, samples, middles(samples))
    if by_series:
        wanted |= grown(samples)
    found = {name: row[name] for name in wanted}
    close = ("value_sum", "squared_deviations")
    assert {name: found[name] for name in close} == {
        name: wanted[name] if wanted[name] is None else pytest.approx(wanted[name])
        for name in close
    }
    assert {name: each for name, each in found.items() if name not in close} == {
        name: each for name, each in wanted.items() if name not in close
    }


@pytest.mark.parametrize("kinds", [*([kind] for kind in TYPES), list(TYPES)])
def test_one_bucket_has_all_samples_of_a_kind(known: Connection, kinds: list[str]) -> None:
    rows = read(known, "internal.raw_kinds", kinds, BEGIN, END, None, True)

    assert sorted(row["kind"] for row in rows) == sorted(kinds)
    for row in rows:
        compare(known, row, [each for each in WITHIN if each.kind == row["kind"]], by_series=False)
        assert (row["bucket"], row["series_id"]) == (BEGIN, None)


@pytest.mark.parametrize("width", [None, HALF, HOUR])
@pytest.mark.parametrize("kinds", [*([kind] for kind in TYPES), list(TYPES)])
def test_a_bucket_has_the_samples_of_its_series_and_time(
    known: Connection, kinds: list[str], width: timedelta | None
) -> None:
    def place(each: Sample) -> tuple[Any, ...]:
        begin = BEGIN + (each.after // width * width if width else timedelta())
        return each.kind, each.source, begin

    rows = {
        (row["kind"], row["source"], row["bucket"]): row
        for row in read(known, "internal.raw_rollup", kinds, BEGIN, END, width, None)
    }
    samples = sorted((each for each in WITHIN if each.kind in kinds), key=place)
    wanted = {key: list(part) for key, part in groupby(samples, key=place)}

    assert rows.keys() == wanted.keys()
    for key, row in rows.items():
        compare(known, row, wanted[key], by_series=True)


@pytest.mark.parametrize("kinds", [*([kind] for kind in TYPES), list(TYPES)])
def test_totals_are_the_counts_sums_and_extremes_of_each_series(
    known: Connection, kinds: list[str]
) -> None:
    whole = read(known, "internal.raw_rollup", kinds, BEGIN, END, None, None)
    totals = read(known, "internal.raw_totals", kinds, BEGIN, END)

    assert by_series(totals) == [
        {name: each[name] if name in TOTALS else None for name in each} for each in by_series(whole)
    ]


def by_series(rows: list[Json]) -> list[Json]:
    return sorted(rows, key=lambda row: row["series_id"])


def test_what_is_not_named_is_not_computed(known: Connection) -> None:
    (row,) = read(known, "internal.raw_kinds", ["load"], BEGIN, END, None, False)
    assert row["value_last"] is None
    (row,) = read(known, "internal.raw_kinds", ["load"], BEGIN, END, None, True)
    assert row["value_last"] == 6

    optional = ("squared_deviations", "value_last", "sketch", "sketch_other")
    for statistics, there in (
        (["avg"], set()),
        (["stddev"], {"squared_deviations"}),
        (["last"], {"value_last"}),
        (["rate_per_second"], {"value_last"}),
        (["p50"], {"sketch", "sketch_other"}),
    ):
        for kind in ("load", "Fact:Sale"):
            rows = read(known, "internal.raw_rollup", [kind], BEGIN, END, None, statistics)
            (row,) = (row for row in rows if row["source"] == "web")
            assert {name for name in optional if row[name] is not None} == (
                there - ({"sketch_other"} if kind == "Fact:Sale" else set())
            )


def test_kinds_that_are_not_asked_for_have_no_bucket(known: Connection) -> None:
    for function in ("internal.raw_kinds", "internal.raw_rollup"):
        more = (None, None)
        assert read(known, function, [], BEGIN, END, *more) == []
    assert ask(known, "select count(*) from data.kind") == len(TYPES)
