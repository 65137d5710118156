"""The job that evaluates alert rules."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from psycopg import Connection

from tests.jobs.conftest import RunJob, due
from tests.sql.alerts import transitions
from tests.sql.calls import ask

pytestmark = pytest.mark.usefixtures("forty_rules")


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
