"""What the database holds, for monitoring."""

from __future__ import annotations

from datetime import timedelta

import pytest
from psycopg import Connection

from tests.sql.alerts import above, define
from tests.sql.calls import NOW, Json, ask, ingest_metrics, metric
from tests.sql.deliveries import AT_ONCE, fire, record, subscribe, take
from tests.sql.raised_alerts import raise_alert


def fill(db: Connection, rows: int) -> None:
    """Make a table with so many rows."""
    db.execute("create temporary table filled (number integer, text text)")
    db.execute(
        "insert into filled select n, 'source-' || n from generate_series(1, %s) as n", [rows]
    )


def estimate(db: Connection) -> int:
    rows: int = ask(db, "select internal.estimate_rows('filled')")
    return rows


def test_a_job_fails_until_it_succeeds(db: Connection) -> None:
    assert state(db)["failing_jobs"] == 0

    for succeeded, failing in ((False, 1), (True, 0)):
        db.execute("delete from _timescaledb_internal.bgw_job_stat")
        db.execute(
            "insert into _timescaledb_internal.bgw_job_stat ("
            " job_id, last_start, last_finish, next_start, last_successful_finish,"
            " last_run_success, total_runs, total_duration, total_duration_failures,"
            " total_successes, total_failures, total_crashes, consecutive_failures,"
            " consecutive_crashes, flags)"
            " select min(job_id), now(), now(), now(), now(),"
            " %s, 1, '1 s', '0', 0, 0, 0, 0, 0, 0 from ops.policies",
            [succeeded],
        )
        assert state(db)["failing_jobs"] == failing


def state(db: Connection, **after: float) -> Json:
    """The state that long after NOW."""
    found: Json = ask(db, "select api.get_state(%s)", NOW + timedelta(**after))
    return found


def oldest(db: Connection, **after: float) -> float:
    """For how many seconds the oldest of what is to be delivered is due, that long after NOW."""
    age: float = state(db, **after)["delivery_oldest_age_seconds"]
    return age


@pytest.fixture
def rule(db: Connection) -> Connection:
    """A rule that fires by source."""
    ingest_metrics(db, [metric(value=0, ts=(NOW - timedelta(minutes=30)).isoformat())])
    define(db, above(2, group_by="source"))
    return db


@pytest.mark.parametrize("number", [0, 1, 9_999])
def test_few_rows_are_counted(db: Connection, number: int) -> None:
    fill(db, number)
    assert estimate(db) == number


def test_many_rows_are_estimated(db: Connection) -> None:
    fill(db, 200_000)
    assert estimate(db) == pytest.approx(200_000, rel=0.1)
    assert estimate(db) == estimate(db)


def test_kinds_series_and_sources_are_counted(db: Connection) -> None:
    for name, source in [("a", "x"), ("a", "y"), ("b", "y"), ("c", "y"), ("c", "z"), ("c", "w")]:
        ingest_metrics(db, [metric(name=name, source=source)])
    counted = state(db)
    assert [counted[each] for each in ("kinds", "series", "sources")] == [3, 6, 4]


def test_alerts_are_counted_by_state_and_severity_also_where_there_are_none(
    db: Connection,
) -> None:
    raise_alert(db, severity="critical", source="a")
    raise_alert(db, severity="critical", source="b")
    raise_alert(db, "slow", "info", state="pending")
    counted = {
        (alerts["state"], alerts["severity"]): alerts["value"] for alerts in state(db)["alerts"]
    }
    assert counted == {
        ("firing", "critical"): 2,
        ("firing", "warning"): 0,
        ("firing", "info"): 0,
        ("pending", "critical"): 0,
        ("pending", "warning"): 0,
        ("pending", "info"): 1,
    }


def test_rules_that_cannot_be_evaluated_are_counted(rule: Connection) -> None:
    define(rule, above(2), name="broken")
    define(rule, above(2), name="deleted")
    rule.execute(
        "update data.alert_rule set error = 'x', error_since = %s where name <> 'cpu_high'", [NOW]
    )
    rule.execute(
        "update data.alert_rule set deleted_at = %s, deleted_by = 'ann' where name = 'deleted'",
        [NOW],
    )
    found = state(rule)
    assert (found["alert_rules"], found["alert_rules_failing"]) == (2, 1)


def test_before_the_first_evaluation_there_is_no_time_of_one(db: Connection) -> None:
    assert state(db)["alert_last_evaluation_timestamp_seconds"] is None


def test_what_is_to_be_delivered_is_counted_from_its_outbox_to_its_end(rule: Connection) -> None:
    def waiting() -> tuple[int, int]:
        found = state(rule)
        return found["outbox_items"], found["deliveries_pending"]

    subscribe(rule, alerts=AT_ONCE)
    fire(rule, "a", "b")
    assert waiting() == (2, 0)
    (delivery,) = take(rule)
    assert waiting() == (0, 1)
    record(rule, delivery, delivered=False)
    assert waiting() == (0, 1)
    record(rule, delivery, delivered=True)
    assert waiting() == (0, 0)


def test_the_age_of_what_is_to_be_delivered_begins_when_it_is_due(rule: Connection) -> None:
    subscribe(rule, alerts=AT_ONCE | {"group_wait": "30s"})
    fire(rule, "a")
    assert oldest(rule) == 0
    assert oldest(rule, seconds=90) == 60
    (delivery,) = take(rule, NOW + timedelta(seconds=30))
    assert oldest(rule, seconds=90) == 60
    record(rule, delivery, delivered=True)
    assert oldest(rule, seconds=90) == 0


def test_of_the_requests_that_wait_the_oldest_has_the_age(rule: Connection) -> None:
    subscribe(rule, alerts=AT_ONCE | {"group_by": ["source"]})
    for seconds, source in ((0, "a"), (30, "b")):
        now = NOW + timedelta(seconds=seconds)
        fire(rule, source, now=now)
        take(rule, now)

    assert oldest(rule, seconds=90) == 90


def test_what_a_subscription_that_is_not_enabled_has_does_not_age(rule: Connection) -> None:
    subscribe(rule, alerts=AT_ONCE)
    fire(rule, "a")
    subscribe(rule, alerts=AT_ONCE, enabled=False)
    assert oldest(rule, hours=1) == 0
