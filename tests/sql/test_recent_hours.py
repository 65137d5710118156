"""Recent hours: what is above the watermark of the rollups is rolled up ahead of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from psycopg import Connection

from tests.sql.calls import (
    NOW,
    Item,
    Json,
    ask,
    fact,
    histogram,
    ingest_facts,
    ingest_metrics,
    metric,
    query_agg,
)
from tests.support.rollups import roll_up, roll_up_recent

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
KINDS = ("cpu", "calls", "latency", "Fact:Deal")


@pytest.fixture
def now(ages: Iterator[datetime]) -> datetime:
    """A quarter of an hour after one that the rollups do not have yet."""
    return next(ages).replace(minute=14)


@pytest.fixture
def hour(lasting: Connection, now: datetime) -> datetime:
    """The hour up to which rollups are made."""
    edge = now.replace(minute=0, second=0, microsecond=0) - HOUR
    ingest_metrics(lasting, [at(edge - HOUR)], now=now)
    roll_up(lasting, edge)
    lasting.execute("delete from data.late_hour")
    return edge


def at(instant: datetime, value: float = 1, **more: object) -> Json:
    return dict(metric(value=value, ts=instant.isoformat(), **more))


def all_types(start: datetime, count: int = 37) -> tuple[list[Item], list[Item]]:
    """Metrics and facts of two sources, every two minutes."""
    metrics: list[Item] = []
    facts: list[Item] = []
    for n in range(count):
        ts = (start + n * 2 * MINUTE).isoformat()
        source = ("web", "api")[n % 2]
        metrics += [
            metric("cpu", source, n * 7 % 13 - 6, ts=ts),
            metric("calls", source, n * n % 31, ts=ts, type="counter"),
            {**histogram([1, 2], [n % 3, 1, 2], n % 3 + 7, ts=ts), "source": source},
        ]
        facts.append(fact(source=source, value=n % 5, ts=ts))
    return metrics, facts


def answers(conn: Connection, now: datetime, start: datetime) -> list[Any]:
    """What is answered about each kind, but for the last digits of sums."""
    found = [
        query_agg(conn, kind, window, group_by=group_by, source=source, now=now)
        for kind in KINDS
        for window in ("1h", "24h", "7d")
        for group_by, source in ((None, None), ("source", None), (None, "api"))
    ]
    return [shortened(answer) for answer in found]


def shortened(answer: Json) -> Any:
    answer.pop("freshness")
    return json.loads(json.dumps(answer), parse_float=lambda digits: f"{float(digits):.9g}")


def count(conn: Connection, now: datetime, **question: Any) -> int:
    """Of cpu, of all series together and by source, which are to agree."""
    answer = query_agg(conn, now=now, group_by="source", **question)
    total: int = query_agg(conn, now=now, **question)["count"]
    assert total == answer["count"] == sum(group["count"] for group in answer["groups"])
    return total


@pytest.mark.parametrize("ends", [(30,), (60,), (73,), (7, 30, 60, 61, 73)])
def test_answers_are_the_same_before_and_after(
    lasting: Connection, now: datetime, hour: datetime, ends: tuple[int, ...]
) -> None:
    metrics, facts = all_types(hour)
    ingest_metrics(lasting, metrics, now=now)
    ingest_facts(lasting, facts, now=now)
    before = answers(lasting, now, hour)

    for minutes in ends:
        roll_up_recent(lasting, hour + minutes * MINUTE)
    assert answers(lasting, now, hour) == before


def test_each_series_and_kind_has_one_row_an_hour(
    lasting: Connection, now: datetime, hour: datetime
) -> None:
    ingest_metrics(lasting, all_types(hour)[0], now=now)
    for minutes in (10, 20, 50, 65, 72):
        roll_up_recent(lasting, hour + minutes * MINUTE)

    rows = lasting.execute(
        "select bucket, kind_id, series_id, count(*) from data.recent_hour group by 1, 2, 3"
    ).fetchall()
    assert {row[0] for row in rows} == {hour, hour + HOUR}
    assert {row[3] for row in rows} == {1}
    # Three kinds with two series each.
    assert len(rows) == 2 * 3 * (1 + 2)


def test_samples_are_read_from_recent_hours_up_to_their_end(
    lasting: Connection, now: datetime, hour: datetime
) -> None:
    ingest_metrics(lasting, [at(hour + n * MINUTE) for n in range(75)], now=now)
    earlier = count(lasting, now) - 75
    roll_up_recent(lasting, hour + 65 * MINUTE)
    lasting.execute("delete from data.sample where ts >= %s", [hour])
    # As if nothing had noted that they are gone.
    lasting.execute("delete from data.late_hour")
    assert count(lasting, now) == earlier + 65


@pytest.mark.parametrize("again", [False, True])
def test_an_older_sample_counts_at_once(
    lasting: Connection, now: datetime, hour: datetime, again: bool
) -> None:
    ingest_metrics(lasting, [at(hour + n * MINUTE) for n in range(75)], now=now)
    roll_up_recent(lasting, hour + 65 * MINUTE)
    before = count(lasting, now)

    late = [at(hour + minutes * MINUTE + timedelta(seconds=1), 50) for minutes in (5, 62)]
    for item in late:
        assert ingest_metrics(lasting, [item], now=now)["late"] == 0
    assert ask(lasting, "select count(*) from data.late_hour") == 2
    if again:
        roll_up_recent(lasting, hour + 70 * MINUTE)
        assert ask(lasting, "select count(*) from data.late_hour") == 0
    assert count(lasting, now) == before + 2
    assert query_agg(lasting, now=now)["max"] == 50


def kinds_in(conn: Connection) -> set[str]:
    """The kinds that recent hours contain."""
    rows = conn.execute(
        "select name from data.kind, data.recent_range as recent where kind_id = any(recent.kinds)"
    )
    return {name for (name,) in rows}


def test_kinds_with_few_samples_are_left_out(
    lasting: Connection, now: datetime, hour: datetime
) -> None:
    # The tenth is at the end.
    seldom = [metric("seldom", ts=(hour + n * MINUTE).isoformat()) for n in (*range(9), 65)]
    often = [metric("often", ts=(hour + n * MINUTE).isoformat()) for n in range(10)]
    ingest_metrics(lasting, seldom + often, now=now)
    roll_up_recent(lasting, hour + 65 * MINUTE, min_samples=10)
    assert kinds_in(lasting) == {"often"}
    for kind in ("seldom", "often"):
        assert query_agg(lasting, kind, now=now)["count"] == 10
    # Together, too, where one is read from recent hours and the other one is not.
    both = query_agg(lasting, None, now=now)["kinds"]
    counts = {each["kind"]: each["count"] for each in both}
    assert (counts["seldom"], counts["often"]) == (10, 10)

    roll_up_recent(lasting, hour + 67 * MINUTE, min_samples=10)
    assert kinds_in(lasting) == {"seldom", "often"}
    assert query_agg(lasting, "seldom", now=now)["count"] == 10


def test_kinds_with_few_samples_for_a_series_are_left_out(
    lasting: Connection, now: datetime, hour: datetime
) -> None:
    def items(kind: str, count: int) -> list[Item]:
        times = [(hour + n * MINUTE).isoformat() for n in range(count)]
        return [metric(kind, source, ts=ts) for source in ("web", "api") for ts in times]

    ingest_metrics(lasting, items("sparse", 4) + items("dense", 5), now=now)
    roll_up_recent(lasting, hour + 65 * MINUTE, samples_per_row=5)
    assert kinds_in(lasting) == {"dense"}


def test_it_waits_for_enough_samples(lasting: Connection, now: datetime, hour: datetime) -> None:
    ended = [metric("ended", ts=(hour + n * MINUTE).isoformat()) for n in range(10)]
    seldom = [metric("seldom", ts=(hour + 66 * MINUTE).isoformat())]
    ingest_metrics(lasting, ended + seldom + [at(hour + n * MINUTE) for n in range(75)], now=now)
    before = count(lasting, now)
    roll_up_recent(lasting, hour + 65 * MINUTE, samples_per_row=5)
    assert kinds_in(lasting) == {"ended", "cpu"}

    # In the newest hour are two rows, that of the series and that of the kind.
    for minutes, ends in ((74, 65), (75, 75)):
        roll_up_recent(lasting, hour + minutes * MINUTE, samples_per_row=5)
        assert ask(lasting, "select ends from data.recent_range") == hour + ends * MINUTE
        assert count(lasting, now) == before


def test_a_sample_at_the_end_is_not_older(
    lasting: Connection, now: datetime, hour: datetime
) -> None:
    roll_up_recent(lasting, hour + 65 * MINUTE)
    before = count(lasting, now)

    ingest_metrics(lasting, [at(hour + 65 * MINUTE)], now=now)
    assert ask(lasting, "select count(*) from data.late_hour") == 0
    assert count(lasting, now) == before + 1


def test_other_kinds_are_not_read_again(lasting: Connection, now: datetime, hour: datetime) -> None:
    items = [metric(name, ts=(hour + MINUTE).isoformat()) for name in ("cpu", "memory")]
    ingest_metrics(lasting, items, now=now)
    roll_up_recent(lasting, hour + 65 * MINUTE)
    lasting.execute("update data.recent_hour set observations = observations + 100")

    ingest_metrics(lasting, [at(hour + 2 * MINUTE)], now=now)
    roll_up_recent(lasting, hour + 70 * MINUTE)
    counted = "select sum(observations)::int from data.recent_hour r join data.kind using (kind_id)"
    of_series = f"{counted} where name = %s and series_id is not null and bucket = %s"
    assert ask(lasting, of_series, "memory", hour) == 101
    # A kind that gets older samples all the time is not written again and again.
    assert ask(lasting, of_series, "cpu", hour) is None
    roll_up_recent(lasting, hour + 71 * MINUTE)
    assert ask(lasting, of_series, "memory", hour) == 101
    assert ask(lasting, of_series, "cpu", hour) == 2


@pytest.mark.parametrize(
    "statement", ["update data.sample set value = 9", "delete from data.sample"]
)
def test_a_sample_that_somebody_changes_counts_at_once(
    lasting: Connection, now: datetime, hour: datetime, statement: str
) -> None:
    ingest_metrics(lasting, [at(hour + MINUTE), at(hour + 2 * MINUTE)], now=now)
    roll_up_recent(lasting, hour + 65 * MINUTE)
    before = query_agg(lasting, now=now)

    lasting.execute(f"{statement} where ts = %s".encode(), [hour + MINUTE])
    after = query_agg(lasting, now=now)
    assert before["sum"] - after["sum"] == (-8 if "update" in statement else 1)
    roll_up_recent(lasting, hour + 70 * MINUTE)
    assert query_agg(lasting, now=now)["sum"] == after["sum"]


def test_hours_that_rollups_have_are_deleted(
    lasting: Connection, now: datetime, hour: datetime
) -> None:
    ingest_metrics(lasting, [at(hour + n * MINUTE) for n in range(75)], now=now)
    roll_up_recent(lasting, hour + 65 * MINUTE)
    before = count(lasting, now)

    roll_up(lasting, hour + HOUR)
    assert count(lasting, now) == before
    roll_up_recent(lasting, hour + 70 * MINUTE)
    assert count(lasting, now) == before
    assert ask(lasting, "select array_agg(distinct bucket) from data.recent_hour") == [hour + HOUR]
    assert ask(lasting, "select begins from data.recent_range") == hour + HOUR


def test_after_a_gap_it_starts_at_the_watermark(
    lasting: Connection, now: datetime, hour: datetime
) -> None:
    ingest_metrics(lasting, [at(hour + n * MINUTE) for n in range(75)], now=now)
    roll_up_recent(lasting, hour + 10 * MINUTE)
    before = count(lasting, now)
    roll_up(lasting, hour + HOUR)

    roll_up_recent(lasting, hour + 65 * MINUTE)
    assert count(lasting, now) == before
    assert lasting.execute("select begins, ends from data.recent_range").fetchone() == (
        hour + HOUR,
        hour + 65 * MINUTE,
    )


def test_below_its_beginning_it_is_not_read(
    lasting: Connection, now: datetime, hour: datetime
) -> None:
    ingest_metrics(lasting, [at(hour + n * MINUTE) for n in range(75)], now=now)
    roll_up_recent(lasting, hour + 10 * MINUTE)
    roll_up(lasting, hour + HOUR)
    roll_up_recent(lasting, hour + 65 * MINUTE)
    before = count(lasting, now)

    # As after a watermark is restored.
    lasting.execute(
        "update _timescaledb_catalog.continuous_aggs_watermark set watermark ="
        " _timescaledb_functions.to_unix_microseconds(%s)",
        [hour],
    )
    assert count(lasting, now) == before
    roll_up_recent(lasting, hour + 70 * MINUTE)
    assert count(lasting, now) == before
    assert ask(lasting, "select begins from data.recent_range") == hour


def test_what_a_refresh_is_reading_stays_noted(
    lasting: Connection, now: datetime, hour: datetime
) -> None:
    ingest_metrics(lasting, [at(hour + n * MINUTE) for n in range(75)], now=now)
    roll_up_recent(lasting, hour + 64 * MINUTE)
    # The kinds are still to be made: those of the hour may have been read before the next sample.
    roll_up(lasting, hour + HOUR, "sample_1h")
    before = count(lasting, now)

    times = [hour + 5.5 * MINUTE, hour + 62.5 * MINUTE]
    ingest_metrics(lasting, [at(ts) for ts in times], now=now)
    roll_up_recent(lasting, hour + 65 * MINUTE)
    assert count(lasting, now) == before + 2
    assert ask(lasting, "select array_agg(bucket) from data.late_hour") == [hour]


def test_below_the_watermark_samples_are_read(
    lasting: Connection, now: datetime, hour: datetime
) -> None:
    ingest_metrics(lasting, [at(hour + n * MINUTE) for n in range(60)], now=now)
    roll_up_recent(lasting, hour + 30 * MINUTE)
    roll_up(lasting, hour + HOUR)
    ingest_metrics(lasting, [at(hour + 5.5 * MINUTE, 50)], now=now)
    # Nothing notes it any longer, and recent hours lack it.
    lasting.execute("delete from data.late_hour")

    kinds = ask(lasting, "select array_agg(kind_id) from data.kind where name = 'cpu'")
    for sides in ("%s, '{}'", "'{}', %s"):
        counted = (
            "select sum(observations)::int, max(value_max) from"
            f" internal.rollup({sides}, null, %s, %s, null, null, '{{count,max}}')"
        )
        found = lasting.execute(counted.encode(), [kinds, hour, hour + 45 * MINUTE]).fetchone()
        assert found == (46, 50)


def test_what_no_hour_of_a_kind_has_yet_is_not_due(
    lasting: Connection, now: datetime, hour: datetime
) -> None:
    ingest_metrics(lasting, [at(hour + n * MINUTE) for n in range(70)], now=now)
    roll_up_recent(lasting, hour + 65 * MINUTE)
    roll_up(lasting, hour + HOUR, "sample_1h")

    # Its refresh would not make that hour, and recent hours are read there still.
    ingest_metrics(lasting, [at(hour + 5.5 * MINUTE)], now=now)
    due = "select array_agg(bucket) from internal.due_late()"
    assert ask(lasting, due) is None
    roll_up(lasting, hour + HOUR, "kind_1h")
    assert ask(lasting, due) == [hour]


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_what_is_stored_with_an_old_snapshot_is_noted(
    lasting: Connection, now: datetime, hour: datetime, level: str
) -> None:
    with lasting.transaction():
        lasting.execute(f"set transaction isolation level {level}".encode())
        ingest_metrics(lasting, [at(hour + 70 * MINUTE)], now=now)
    assert ask(lasting, "select array_agg(bucket) from data.late_hour") == [hour + HOUR]


def test_it_goes_no_further_back(lasting: Connection, now: datetime, hour: datetime) -> None:
    ingest_metrics(lasting, [at(hour + n * MINUTE) for n in range(75)], now=now)
    roll_up_recent(lasting, hour + 65 * MINUTE)
    before = count(lasting, now)

    roll_up_recent(lasting, hour + 20 * MINUTE)
    assert count(lasting, now) == before
    assert ask(lasting, "select ends from data.recent_range") == hour + 65 * MINUTE


@pytest.mark.parametrize("minutes", [45, 62, 65, 70])
def test_a_range_that_ends_or_is_cut_within_it_has_its_own_samples(
    lasting: Connection, now: datetime, hour: datetime, minutes: int
) -> None:
    ingest_metrics(lasting, [at(hour + n * MINUTE) for n in range(75)], now=now)
    roll_up_recent(lasting, hour + 65 * MINUTE)
    edge = hour + minutes * MINUTE
    kinds = ask(lasting, "select array_agg(kind_id) from data.kind where name = 'cpu'")
    counted = (
        "select bucket < %s, sum(observations)::int"
        " from internal.rollup({}, null, %s, %s, %s, null, '{{count}}') group by 1 order by 1 desc"
    )
    for sides in ("%s, '{}'", "'{}', %s"):
        until = counted.format(sides)
        for start in (hour, hour + 44 * MINUTE):
            inside = lasting.execute(until.encode(), [edge, kinds, start, edge, None]).fetchall()
            whole = lasting.execute(
                until.encode(), [edge, kinds, start, hour + 75 * MINUTE, edge]
            ).fetchall()
            first = int((edge - start) / MINUTE)
            assert inside == [(True, first)]
            assert whole == [(True, first), (False, 75 - minutes)]


def test_before_the_first_refresh_it_does_nothing(lasting_alone: Connection) -> None:
    roll_up_recent(lasting_alone, NOW)
    assert ask(lasting_alone, "select ends::text from data.recent_range") == "-infinity"


def test_a_chart_by_hours_has_them(lasting: Connection, now: datetime, hour: datetime) -> None:
    ingest_metrics(lasting, [at(hour + n * MINUTE, n) for n in range(75)], now=now)
    kind = ask(lasting, "select kind_id from data.kind where name = 'cpu'")
    series = ask(lasting, "select array_agg(series_id) from data.series where kind_id = %s", kind)
    steps = (
        "select bucket, sum(observations)::int, sum(value_sum)"
        " from internal.step_rollup('1h', %s, %s, %s, %s, '1 hour')"
        " group by bucket order by bucket"
    )
    values = [kind, series, hour, hour + 2 * HOUR]
    before = lasting.execute(steps, values).fetchall()
    assert [row[1] for row in before] == [60, 15]

    roll_up_recent(lasting, hour + 65 * MINUTE)
    assert lasting.execute(steps, values).fetchall() == before
