"""Buckets of rollups are computed again from their samples, and what differs is recorded."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, LiteralString

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from tests.sql.calls import NOW, ask, fact, histogram, ingest_facts, ingest_metrics, metric
from tests.support.rollups import ROLLUPS, roll_up

HOUR = timedelta(hours=1)


@pytest.fixture
def noon(lasting: Connection, now: datetime) -> datetime:
    """An hour of yesterday with samples of every type, rolled up with its day."""
    start = now.replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)
    ingest_metrics(lasting, [item for n in range(3) for item in every_type(start, n)], now=now)
    facts = [fact(fact_id=f"{now}{n}", value=n, ts=at(start, n)) for n in range(3)]
    ingest_facts(lasting, facts, now=now)
    roll_up(lasting, now - HOUR)
    lasting.execute("truncate data.late_hour, data.proof")
    return start


def at(start: datetime, number: int) -> str:
    return (start + timedelta(minutes=7 * number)).isoformat()


def every_type(start: datetime, number: int) -> list[Any]:
    # As in many series: the sum of days is not added in the order of the samples.
    ts = at(start, number)
    return [
        *(metric("gauge", source, 0.1 * (number + 1), ts=ts) for source in ("a", "b", "c")),
        metric("total", value=10 - 3 * number, type="counter", ts=ts),
        histogram([1, 2], [1, number, 0], 0.5 + 1.2 * number, ts=ts, type="histogram"),
    ]


def tamper(conn: Connection, statement: LiteralString, *values: object) -> None:
    """Change samples so that no refresh is due."""
    conn.execute(statement, values)
    conn.execute("truncate data.late_hour")


def prove(conn: Connection, rollup: str, bucket: datetime) -> int:
    start = bucket if rollup.endswith("1h") else bucket.replace(hour=0)
    start = start.replace(minute=0, second=0, microsecond=0)
    count: int = ask(conn, "select internal.prove_bucket(%s, %s, %s)", rollup, start, NOW)
    return count


@pytest.mark.parametrize("rollup", ROLLUPS)
def test_a_rollup_of_every_type_matches_its_samples(
    lasting: Connection, noon: datetime, rollup: str
) -> None:
    assert prove(lasting, rollup, noon) == 0

    ((relation, kind, expected, matches),) = lasting.execute(
        "select relation, kind, expected, matches from ops.proof"
    ).fetchall()
    assert (relation, kind, matches) == (f"data.{rollup}", None, True)
    assert expected["rows"] == (6 if rollup.startswith("sample") else 4)


@pytest.mark.parametrize("rollup", ROLLUPS)
def test_a_rollup_that_differs_from_a_sample_is_recorded(
    lasting: Connection, noon: datetime, rollup: str
) -> None:
    series = ask(lasting, "select max(series_id) from data.sample where ts = %s", noon)
    tamper(
        lasting,
        "update data.sample set value = value + 0.001 where ts = %s and series_id = %s",
        *(noon, series),
    )

    assert prove(lasting, rollup, noon) == 1
    ((found_series, expected, found, matches),) = lasting.execute(
        "select series_id, expected, found, matches from ops.proof"
    ).fetchall()
    assert (found_series, matches) == (series if rollup.startswith("sample") else None, False)
    assert expected != found
    assert expected["observations"] == found["observations"]


def test_missing_rows_on_either_side_are_recorded(lasting: Connection, noon: datetime) -> None:
    kind = ask(lasting, "select kind_id from data.every_kind where name = 'gauge'")
    tamper(lasting, "delete from data.sample where kind_id = %s", kind)
    assert prove(lasting, "sample_1h", noon) == 3
    assert ask(lasting, "select count(*) from ops.proof where expected is null") == 3


def test_a_missing_row_of_facts_without_values_is_recorded(
    lasting: Connection, now: datetime
) -> None:
    ingest_facts(lasting, fact("Fact:Visit", ts=(now - 30 * HOUR).isoformat()), now=now)
    roll_up(lasting, now - HOUR)
    kind = ask(lasting, "select kind_id from data.every_kind where name = 'Fact:Visit'")
    tamper(lasting, "delete from data.sample where kind_id = %s", kind)

    bucket = (now - 30 * HOUR).replace(minute=0, second=0, microsecond=0)
    assert prove(lasting, "sample_1h", bucket) == 1


def test_hours_that_got_late_samples_are_left_to_their_refresh(
    lasting: Connection, now: datetime, noon: datetime
) -> None:
    ingest_metrics(lasting, metric("gauge", "a", 5, ts=at(noon, 4)), now=now)
    assert prove(lasting, "kind_1d", noon) == 0

    lasting.execute("truncate data.late_hour")
    assert prove(lasting, "kind_1d", noon) == 1


PAST = NOW.replace(minute=0, second=0, microsecond=0) - 2 * HOUR
PROOF = """
select kind.name, source.name, proof.expected is null, proof.found is null, proof.matches
from data.proof
left join data.kind using (kind_id) left join data.series using (series_id)
left join data.source using (source_id)
order by proof.proof_id
"""


def fill_rollup(db: Connection, start: datetime, end: datetime) -> None:
    hypertable = ask(db, "select internal.hypertable('sample_1h')")
    db.execute(
        f"insert into {hypertable} select * from internal.raw_rollup("
        "array(select kind_id from data.kind), %s, %s, '1 hour', null)".encode(),
        [start, end],
    )


def test_a_hundred_of_what_differs_is_recorded_in_order(db: Connection) -> None:
    for kind in ("first", "last"):
        items = [metric(kind, f"s{n:02}", ts=PAST.isoformat()) for n in range(51)]
        ingest_metrics(db, items)
    db.execute("truncate data.late_hour")

    assert prove(db, "sample_1h", PAST) == 102
    numbers = [row[0] for row in db.execute("select series_id from data.series order by 1")]
    recorded = db.execute("select series_id from data.proof order by proof_id").fetchall()
    assert [number for (number,) in recorded] == numbers[:100]


def test_a_bucket_of_nothing_matches(db: Connection) -> None:
    assert prove(db, "sample_1h", PAST) == 0
    assert db.execute("select expected, found, matches from data.proof").fetchall() == [
        ({"rows": 0, "observations": 0}, {"rows": 0, "observations": 0}, True)
    ]


def test_only_the_bucket_is_compared_and_missing_rows_have_their_series(db: Connection) -> None:
    times = [PAST + n * HOUR for n in (-1, 0, 1)]
    ingest_metrics(db, [metric("cpu", "web", ts=ts.isoformat()) for ts in times])
    ingest_metrics(db, [metric("cpu", "gone", ts=times[1].isoformat())])
    fill_rollup(db, times[0], times[2] + HOUR)
    assert prove(db, "sample_1h", PAST) == 0

    db.execute("truncate data.proof")
    db.execute(
        "delete from data.sample where series_id = (select series_id from data.series"
        " inner join data.source using (source_id) where name = 'gone')"
    )
    ingest_metrics(db, metric("mem", "new", ts=PAST.isoformat()))
    db.execute("truncate data.late_hour")
    assert prove(db, "sample_1h", PAST) == 2
    assert db.execute(PROOF).fetchall() == [
        ("cpu", "gone", True, False, False),
        ("mem", "new", False, True, False),
    ]


@pytest.mark.parametrize(("after", "compared"), [(-1, True), (0, False), (23, False), (24, True)])
def test_kinds_with_late_samples_in_the_bucket_are_left_out(
    db: Connection, after: int, compared: bool
) -> None:
    day = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
    for kind in ("late", "prompt"):
        ingest_metrics(db, metric(kind, ts=NOW.isoformat()))
    db.execute(
        "insert into data.late_hour (kind_id, bucket, samples)"
        " select kind_id, %s, 1 from data.kind where name = 'late'",
        [day + after * HOUR],
    )

    assert prove(db, "kind_1d", NOW) == 1 + compared


def test_monitoring_counts_what_differs(lasting: Connection, noon: datetime) -> None:
    prove(lasting, "kind_1h", noon)
    tamper(lasting, "update data.sample set value = 77 where ts = %s", noon)
    differs = prove(lasting, "sample_1h", noon)

    state = ask(lasting, "select api.get_state(%s)", NOW)
    assert (state["proof_buckets"], state["proof_mismatches"]) == (2, differs)
    later = ask(lasting, "select api.get_state(%s)", NOW + timedelta(days=8))
    assert (later["proof_buckets"], later["proof_mismatches"]) == (0, 0)


def test_the_job_proves_buckets_of_every_rollup(lasting: Connection, noon: datetime) -> None:
    lasting.execute("call internal.prove(0, '{\"buckets\": 2}')")

    proved = lasting.execute(
        "select relation, count(*) filter (where matches) from ops.proof"
        " where bucket >= %s group by relation",
        [noon - timedelta(days=2)],
    ).fetchall()
    assert {
        relation for relation, _ in lasting.execute("select relation, bucket from ops.proof")
    } == {f"data.{rollup}" for rollup in ROLLUPS}
    assert all(count > 0 for _, count in proved)


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(values=st.lists(st.floats(-1e140, 1e140), min_size=1, max_size=20))
def test_an_order_of_addition_is_no_difference(db: Connection, values: list[float]) -> None:
    scale = len(values) * max(map(abs, values))
    forward, backward = sum(values), sum(reversed(values))
    assert ask(db, "select internal.close_to(%s, %s, %s)", forward, backward, scale)
    assert not ask(db, "select internal.close_to(%s, %s, %s)", forward, forward + scale + 1, scale)


def test_a_forced_refresh_repairs_what_differs(lasting: Connection, noon: datetime) -> None:
    lasting.execute("truncate data.proof")
    tamper(lasting, "update data.sample set value = 77 where ts = %s", noon)
    day = noon.replace(hour=0)
    for rollup in ROLLUPS:
        assert prove(lasting, rollup, noon) > 0
        lasting.execute(
            "call refresh_continuous_aggregate(%s, %s, %s, force => true)",
            [f"data.{rollup}", day, day + timedelta(days=1)],
        )
        assert prove(lasting, rollup, noon) == 0


def test_only_what_is_rolled_up_already_is_picked(lasting: Connection, now: datetime) -> None:
    days = [now.replace(hour=0, minute=0, second=0, microsecond=0) - n * 24 * HOUR for n in (3, 2)]
    ingest_metrics(lasting, [metric(ts=(day + 5 * HOUR).isoformat()) for day in days], now=now)
    roll_up(lasting, days[1])
    roll_up(lasting, days[1] + 24 * HOUR, "sample_1h", "kind_1h", "kind_1d")

    def picked(rollup: str) -> list[datetime]:
        buckets = "select bucket from internal.pick_buckets(%s, 1000) as bucket where bucket >= %s"
        return sorted(row[0] for row in lasting.execute(buckets, [rollup, days[0]]))

    assert picked("kind_1d") == days
    # Days of series lag.
    assert ask(lasting, "select internal.watermark('sample_1d')") == days[1]
    assert picked("sample_1d") == days[:1]
    assert picked("sample_1h") == [day + 5 * HOUR for day in days]


def test_any_bucket_may_be_picked(lasting: Connection, noon: datetime, now: datetime) -> None:
    ingest_metrics(lasting, metric(ts=(noon + 2 * HOUR).isoformat()), now=now)
    roll_up(lasting, now - HOUR, "sample_1h", "kind_1h")

    one = "select bucket from internal.pick_buckets('sample_1h', 1) as bucket"
    assert len({ask(lasting, one) for _ in range(40)}) > 1
