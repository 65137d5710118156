"""Facts that are older than samples are kept: stored, and counted in their days."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from tests.sql.calls import (
    NOW,
    Json,
    ask,
    fact,
    ingest_facts,
    ingest_metrics,
    metric,
    query_facts,
    receipt,
    refused,
)
from tests.support.real_input import FACTS

OLD = NOW - timedelta(days=400)
# Later than the last fact of the real project.
AFTER_ALL = datetime(2026, 8, 1, tzinfo=UTC)
DAYS = (
    "select json_agg(json_build_array(bucket, observations, value_sum, value_last) order by bucket)"
    " from data."
)


def send(db: Connection, *times: datetime, **more: object) -> Json:
    return ingest_facts(db, [fact(ts=ts.isoformat(), **more) for ts in times])


def days(db: Connection, rollup: str = "sample_1d") -> list[list[object]] | None:
    found: list[list[object]] | None = ask(db, DAYS + rollup)
    return found


def start(ts: datetime) -> str:
    return ts.date().isoformat() + "T00:00:00+00:00"


def test_an_old_fact_is_stored_and_counted_in_its_day(db: Connection) -> None:
    answer = send(db, OLD, value=5)
    assert answer == receipt(1)
    assert [item["value"] for item in query_facts(db)["items"]] == [5]
    for rollup in ("sample_1d", "kind_1d"):
        assert days(db, rollup) == [[start(OLD), 1, 5, 5]]
    assert ask(db, "select count(*) from data.sample") == 0


@pytest.mark.native_only("a refresh beside an ingest")
def test_a_refresh_that_does_not_end_refuses_an_old_fact_and_no_other(db: Connection) -> None:
    db.execute("set local lock_timeout = '50ms'")
    refresh = b"select pg_advisory_lock(hashtextextended('supervisor-mcp refresh', 0))"
    with psycopg.connect(db.info.dsn, autocommit=True) as job:
        job.execute(refresh)
        with refused(db, "refresh_ended") as refusal:
            send(db, OLD)
        assert refusal.hint == "Send the request again after the seconds in Retry-After."
        assert send(db, NOW) == receipt(1)

    assert send(db, OLD) == receipt(1)
    assert ask(db, "select current_setting('lock_timeout')") == "50ms"


def test_a_fact_is_old_where_its_sample_would_not_be_kept(db: Connection) -> None:
    first = ask(db, "select internal.sampled_from(%s)", NOW)
    for ts, samples in ((first - timedelta(microseconds=1), 0), (first, 1)):
        assert send(db, ts)["accepted"] == 1
        assert ask(db, "select count(*) from data.sample") == samples


def test_later_requests_add_to_the_day(db: Connection) -> None:
    send(db, OLD, value=5)
    send(db, OLD - timedelta(hours=1), value=7)
    send(db, OLD - timedelta(hours=2), source="web", value=1)
    assert ask(db, "select json_agg(observations order by observations) from data.sample_1d") == [
        1,
        2,
    ]
    assert days(db, "kind_1d") == [[start(OLD), 3, 13, 5]]


STATISTICS = """
select
    observations, value_count, value_sum, squared_deviations, value_min, value_max, value_last,
    value_last_at, last_at, sketch = internal.sketch(1) + internal.sketch(5) + internal.sketch(9)
from data.{} order by bucket
"""


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
@pytest.mark.parametrize("rollup", ["sample_1d", "kind_1d"])
def test_a_day_has_the_statistics_of_the_facts_of_all_requests(
    db: Connection, rollup: str, order: tuple[int, ...]
) -> None:
    day = datetime.fromisoformat(start(OLD))
    next_day = day + timedelta(days=1)
    requests: list[list[tuple[datetime, float | None]]] = [
        [(day + timedelta(hours=1), 5), (day + timedelta(hours=2), 1), (next_day, None)],
        [(day + timedelta(hours=3), 9), (day + timedelta(hours=4), None)],
        [(day + timedelta(minutes=1), None), (next_day + timedelta(hours=1), None)],
    ]
    for number in order:
        ingest_facts(
            db,
            [
                fact(ts=ts.isoformat(), **({} if value is None else {"value": value}))
                for ts, value in requests[number]
            ],
        )

    assert db.execute(STATISTICS.format(rollup).encode()).fetchall() == [
        (5, 3, 15, 32, 1, 9, 9, day + timedelta(hours=3), day + timedelta(hours=4), True),
        (2, 0, None, None, None, None, None, None, next_day + timedelta(hours=1), None),
    ]


def test_old_facts_are_counted_in_days_from_the_first_one_that_is_kept(db: Connection) -> None:
    db.execute("select ops.set_retention('data.fact', '20 years')")
    kept = datetime.fromisoformat(start(NOW - timedelta(days=1829)))
    send(db, kept - timedelta(microseconds=1), kept, value=5)
    for rollup in ("sample_1d", "kind_1d"):
        assert days(db, rollup) == [[start(kept), 1, 5, 5]]


def test_samples_are_whole_from_the_day_after_the_newest_old_fact(db: Connection) -> None:
    noted = "select json_object_agg(relation, since) from data.complete_since"
    before = ask(db, noted)
    for times in ((OLD - timedelta(days=2), OLD), (OLD - timedelta(days=9),)):
        send(db, *times)
        assert ask(db, noted) == before | {"sample": start(OLD + timedelta(days=1))}


def test_the_same_old_fact_again_is_a_duplicate(db: Connection) -> None:
    send(db, OLD, value=5)
    assert send(db, OLD, value=5) == receipt(0, duplicate=1)
    assert days(db) == [[start(OLD), 1, 5, 5]]


def test_a_chart_shows_old_facts_before_the_first_refresh(db: Connection) -> None:
    send(db, OLD, OLD - timedelta(hours=3), OLD - timedelta(days=2), value=5)
    answer = ask(
        db,
        "select api.query_metrics('Fact:Deal', null, null, %s, %s, '1d', null, %s)",
        OLD - timedelta(days=5),
        OLD + timedelta(days=5),
        NOW,
    )
    assert [point[1] for point in answer["series"][0]["points"] if point[1]] == [1, 2]


def test_the_history_of_a_real_project_is_counted_by_day(db: Connection) -> None:
    for relation in ("fact", "sample_1d", "kind_1d"):
        db.execute("select ops.set_retention(%s, '20 years')", [f"data.{relation}"])
    items = [json.loads(line) for line in FACTS.read_text(encoding="utf-8").splitlines()]
    sampled_from = ask(db, "select internal.sampled_from(%s)", AFTER_ALL)
    for n in range(0, len(items), 50):
        ingest_facts(db, items[n : n + 50], now=AFTER_ALL)

    sent = Counter(
        start(datetime.fromisoformat(item["ts"]).astimezone(UTC))
        for item in items
        if datetime.fromisoformat(item["ts"]) < sampled_from
    )
    assert len(sent) > 100
    counted = {str(day): n for day, n, *_ in days(db) or []}
    assert counted == sent


def test_facts_are_kept_longer_than_days_count_them(db: Connection) -> None:
    db.execute("select ops.set_retention('data.fact', '20 years')")
    send(db, NOW - timedelta(days=4000), value=5)
    assert len(query_facts(db)["items"]) == 1
    assert days(db) is None


def test_a_fact_older_than_the_retention_of_facts_is_refused(db: Connection) -> None:
    with refused(db, "items_refused") as refusal:
        send(db, NOW - timedelta(days=1900))
    (item,) = refusal.params["items"]
    assert item["slug"] == "ts_within_retention"
    assert item["detail"].startswith("The ts is older than the retention of facts, 5 years.")


def test_facts_and_metrics_are_kept_on_terms_of_their_own(db: Connection) -> None:
    db.execute("select ops.set_retention('data.fact', '10 days')")
    eleven = NOW - timedelta(days=11)
    assert ingest_metrics(db, metric(ts=eleven.isoformat())) == receipt(1)
    with refused(db, "items_refused"):
        send(db, eleven)


def test_a_fact_whose_identity_may_be_forgotten_is_refused(db: Connection) -> None:
    db.execute("update data.complete_since set since = %s where relation = 'fact_identity'", [OLD])
    with refused(db, "items_refused"):
        send(db, OLD - timedelta(days=1))
    assert send(db, OLD + timedelta(days=1)) == receipt(1)


def test_metrics_are_accepted_as_before_when_old_facts_are_there(db: Connection) -> None:
    send(db, NOW - timedelta(days=99))
    within = NOW - timedelta(days=89, hours=23)
    assert ingest_metrics(db, metric(ts=within.isoformat())) == receipt(1)


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    facts=st.lists(
        st.tuples(
            st.integers(0, 3 * 24 * 60),
            st.one_of(st.none(), st.floats(-1e6, 1e6)),
            st.sampled_from(["crm", "web"]),
        ),
        min_size=1,
        max_size=12,
    ),
    batches=st.integers(1, 4),
)
def test_days_of_old_facts_are_those_that_a_refresh_makes(
    db: Connection, facts: list[tuple[int, float | None, str]], batches: int
) -> None:
    """The same facts as samples, in one bucket a day by the expressions of the rollups."""
    first = OLD - timedelta(days=3)
    items = [
        fact(ts=(first + timedelta(minutes=at)).isoformat(), value=value, source=source)
        for at, value, source in facts
    ]
    with db.transaction(force_rollback=True):
        for n in range(batches):
            if items[n::batches]:
                ingest_facts(db, items[n::batches])
        db.execute(
            "insert into data.sample (series_id, kind_id, ts, seq, value, observations, counter)"
            " select series_id, kind_id, ts, seq, value, 1, false"
            " from data.fact inner join data.series using (series_id)"
        )
        made = (
            "select coalesce(json_agg(json_build_array({}) order by series_id, bucket), '[]')"
            " from {}"
        )
        exact = "series_id, bucket, observations, value_count, value_min, value_max, value_last"
        more = ", value_last_at, last_at, sketch::text, sketch_other::text"
        expected = ask(
            db,
            made.format(
                exact + more,
                "internal.raw_rollup(array(select kind_id from data.kind), '-infinity',"
                " 'infinity', '1 day', null)",
            ),
        )
        assert ask(db, made.format(exact + more, "data.sample_1d")) == expected
        moments = ask(
            db,
            "select bool_and(abs(coalesce(a.value_sum, 0) - coalesce(b.value_sum, 0)) < 1e-3"
            " and abs(coalesce(a.squared_deviations, 0) - coalesce(b.squared_deviations, 0))"
            " <= 1e-6 * (1 + coalesce(b.squared_deviations, 0)))"
            " from data.sample_1d as a inner join internal.raw_rollup("
            "array(select kind_id from data.kind), '-infinity', 'infinity', '1 day', null)"
            " as b using (series_id, bucket)",
        )
        assert moments
