"""The job that evaluates alert rules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from psycopg import Connection

from tests.jobs.conftest import RunJob
from tests.sql.alerts import above, define, transitions
from tests.sql.calls import ask, ingest_metrics, metric

SLOW = """
insert into data.sample (series_id, kind_id, ts, seq, value, observations, counter)
select series_id, kind_id, now() - n * interval '25 ms', 0, n % 977, 1, false
from data.series cross join generate_series(1, 600000) as n
"""


@pytest.fixture(autouse=True)
def rules(lasting: Connection, clock: datetime) -> Iterator[None]:
    """Forty rules, more than the job takes at a time, of which all are due and one fires."""
    earlier = (clock - timedelta(minutes=1)).isoformat()
    ingest_metrics(lasting, [metric(value=3, ts=earlier)], now=clock)
    for number in range(40):
        define(lasting, above(2 + number), name=f"rule_{number}")
    yield
    lasting.execute(
        "truncate data.alert, data.alert_transition, data.alert_rule_version, data.alert_rule"
    )


def due(conn: Connection) -> int:
    count: int = ask(conn, "select cardinality(internal.due_alert_rules(clock_timestamp(), 100))")
    return count


def test_the_job_evaluates_every_rule_that_is_due(lasting: Connection, run_job: RunJob) -> None:
    assert due(lasting) == 40

    run_job("evaluate_alerts", None)

    assert due(lasting) == 0
    assert transitions(lasting) == ["firing"]


def test_the_job_notes_when_it_ran_and_for_how_long(
    lasting: Connection, run_job: RunJob, clock: datetime
) -> None:
    run_job("evaluate_alerts", None)

    state = ask(lasting, "select api.get_state(now())")
    assert state["alert_last_evaluation_timestamp_seconds"] >= clock.timestamp()
    assert 0 < state["alert_last_evaluation_duration_seconds"] < 60


def test_a_rule_is_not_due_again_at_once(lasting: Connection, run_job: RunJob) -> None:
    run_job("evaluate_alerts", None)
    first = ask(lasting, "select min(evaluated_at) from data.alert_rule")

    run_job("evaluate_alerts", None)

    assert ask(lasting, "select min(evaluated_at) from data.alert_rule") == first


def test_the_job_pauses_where_others_wait_and_goes_on_at_once(
    lasting: Connection, run_job: RunJob
) -> None:
    lasting.execute("set supervisor.turn = '1 microsecond'")

    run_job("evaluate_alerts", None)
    lasting.execute("reset supervisor.turn")

    assert due(lasting) == 6
    assert ask(
        lasting,
        "select next_start <= clock_timestamp() from timescaledb_information.jobs"
        " where proc_name = 'evaluate_alerts'",
    )


def test_the_job_does_not_start_again_when_nothing_is_left(
    lasting: Connection, run_job: RunJob
) -> None:
    lasting.execute("update data.alert_rule set due_at = 'infinity' where name > 'rule_2'")
    next_start = (
        "select next_start from timescaledb_information.jobs where proc_name = 'evaluate_alerts'"
    )
    lasting.execute("set supervisor.turn = '1 microsecond'")
    before = ask(lasting, next_start)

    run_job("evaluate_alerts", None)
    lasting.execute("reset supervisor.turn")

    assert ask(lasting, next_start) == before


def test_a_rule_about_the_present_is_evaluated_every_time(lasting: Connection) -> None:
    interval = ask(lasting, """select internal.evaluation_interval('{"type": "health"}')""")

    assert interval == timedelta(seconds=15)


def test_a_rule_with_a_longer_window_is_evaluated_less_often(lasting: Connection) -> None:
    intervals = lasting.execute(
        """
        select internal.evaluation_interval(
            jsonb_build_object('type', 'metric', 'window', length)
        )::text
        from unnest('{1m,30m,2h,30d}'::text []) as length
        """
    ).fetchall()

    assert intervals == [("00:00:15",), ("00:00:15",), ("00:01:00",), ("00:05:00",)]


@pytest.fixture
def slow(lasting: Connection) -> Iterator[str]:
    """A rule that takes longer than the statement timeout, beside forty that do not."""
    lasting.execute(SLOW)
    define(lasting, above(999, window="6h", statistic="p95", compare="change"), name="slow")
    lasting.execute("set statement_timeout = '700 ms'")
    yield "slow"
    lasting.execute("reset statement_timeout")
    lasting.execute("truncate data.sample")


def retried_after(conn: Connection) -> timedelta:
    """How long the rule with an error waits for its next evaluation."""
    pause: timedelta = ask(
        conn, "select due_at - clock_timestamp() from data.alert_rule where error is not null"
    )
    return pause


def test_a_rule_that_takes_too_long_has_an_error_and_the_others_go_on(
    lasting: Connection, run_job: RunJob, slow: str
) -> None:
    run_job("evaluate_alerts", None)
    run_job("evaluate_alerts", None)

    rows = lasting.execute(
        "select name, error from data.alert_rule where error is not null or evaluated_at is null"
    ).fetchall()
    assert [name for name, _ in rows] == [slow]
    assert re.fullmatch(
        r"The evaluation takes longer than [0-9.]+ s\. Narrow the window or the grouping\.",
        rows[0][1],
    )
    assert due(lasting) == 0
    assert transitions(lasting) == 40 * ["firing"]


def test_a_rule_that_takes_too_long_is_tried_ever_less_often(
    lasting: Connection, run_job: RunJob, slow: str
) -> None:
    run_job("evaluate_alerts", None)
    pauses = []
    for _ in range(3):
        run_job("evaluate_alerts", None)
        pauses.append(retried_after(lasting))
        lasting.execute("update data.alert_rule set due_at = null where error is not null")

    minutes = [round(pause / timedelta(minutes=1)) for pause in pauses]
    assert minutes == [1, 2, 4]


def test_the_job_goes_on_at_once_after_a_cancellation(
    lasting: Connection, run_job: RunJob, slow: str
) -> None:
    run_job("evaluate_alerts", None)

    assert ask(
        lasting,
        "select next_start <= clock_timestamp() from timescaledb_information.jobs"
        " where proc_name = 'evaluate_alerts'",
    )


def test_a_rule_that_no_longer_takes_too_long_is_evaluated(
    lasting: Connection, run_job: RunJob, slow: str
) -> None:
    for _ in range(2):
        run_job("evaluate_alerts", None)
    lasting.execute("reset statement_timeout")
    lasting.execute("update data.alert_rule set due_at = null where error is not null")

    run_job("evaluate_alerts", None)

    assert lasting.execute(
        "select error, evaluated_at is not null from data.alert_rule where name = %s", [slow]
    ).fetchone() == (None, True)


def test_a_rule_that_takes_long_stays_alone_until_it_is_short(
    lasting: Connection, run_job: RunJob, slow: str
) -> None:
    run_job("evaluate_alerts", None)
    lasting.execute("reset statement_timeout")
    alone = "select array_agg(name) from data.alert_rule where cancellations > 0"

    run_job("evaluate_alerts", None)
    assert ask(lasting, alone) == [slow]
    lasting.execute("delete from data.sample where ts < now() - interval '2 minutes'")
    lasting.execute("update data.alert_rule set due_at = null")
    run_job("evaluate_alerts", None)

    assert ask(lasting, alone) is None
