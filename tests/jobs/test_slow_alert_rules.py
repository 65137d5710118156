"""The job that evaluates alert rules, where one takes longer than a statement may."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from psycopg import Connection

from tests.jobs.conftest import RunJob, due
from tests.sql.alerts import above, define, transitions
from tests.sql.calls import ask

pytestmark = pytest.mark.usefixtures("forty_rules")

MANY = """
insert into data.sample (series_id, kind_id, ts, seq, value, observations, counter)
select series_id, kind_id, now() - n * interval '50 ms', 0, n % 977, 1, false
from data.series cross join generate_series(1, 300000) as n
where not exists (select from data.sample where ts < now() - interval '1 hour')
"""

# Rules of which as many as are evaluated at a time fit into it need not stay alone.
LIMIT = """
select alter_job(
    job_id,
    config => config || jsonb_build_object('statement_timeout', %s * (config -> 'rules')::integer)
)
from timescaledb_information.jobs
where proc_name = 'evaluate_alerts'
"""


@pytest.fixture
def slow(lasting: Connection, forty_rules: None) -> Iterator[str]:
    """A rule that takes longer than the statement timeout, beside forty that do not."""
    lasting.execute(MANY)
    define(lasting, above(999, window="6h", statistic="p95", compare="change"), name="slow")
    # Depends on the machine and on what else runs on it; the forty take less than a tenth of it.
    timeout = min(evaluation_seconds(lasting), evaluation_seconds(lasting)) / 2
    lasting.execute(f"set statement_timeout = {timeout * 1000:.0f}".encode())
    lasting.execute(LIMIT, [timedelta(seconds=timeout)])
    yield "slow"
    lasting.execute("reset statement_timeout")


def evaluation_seconds(conn: Connection) -> float:
    """How long the slow rule takes."""
    with conn.transaction(force_rollback=True):
        started = time.monotonic()
        conn.execute(
            "select internal.evaluate_alert_rules(array_agg(rule_id), clock_timestamp())"
            " from data.alert_rule where name = 'slow'"
        )
        return time.monotonic() - started


def retried_after(conn: Connection) -> timedelta:
    """How long the rule with an error waits for its next evaluation."""
    pause: timedelta = ask(
        conn, "select due_at - clock_timestamp() from data.alert_rule where error is not null"
    )
    return pause


def evaluate_all(conn: Connection, run_job: RunJob) -> None:
    """Run the job until no rule is due: its turn may end before all of them had theirs."""
    for _ in range(10):
        run_job("evaluate_alerts", None)
        if due(conn) == 0:
            return
    raise AssertionError("rules are still due")


def test_a_rule_that_takes_too_long_has_an_error_and_the_others_go_on(
    lasting: Connection, run_job: RunJob, slow: str
) -> None:
    evaluate_all(lasting, run_job)

    rows = lasting.execute(
        "select name, error from data.alert_rule where error is not null or evaluated_at is null"
    ).fetchall()
    assert [name for name, _ in rows] == [slow]
    assert re.fullmatch(
        r"The evaluation takes longer than [0-9.]+ s\. Narrow the window or the grouping\.",
        rows[0][1],
    )
    assert transitions(lasting) == 40 * ["firing"]


def test_a_rule_that_takes_too_long_is_tried_ever_less_often(
    lasting: Connection, run_job: RunJob, slow: str
) -> None:
    pauses = []
    for _ in range(3):
        evaluate_all(lasting, run_job)
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
    evaluate_all(lasting, run_job)
    lasting.execute("reset statement_timeout")
    lasting.execute("update data.alert_rule set due_at = null where error is not null")

    evaluate_all(lasting, run_job)

    assert lasting.execute(
        "select error, evaluated_at is not null from data.alert_rule where name = %s", [slow]
    ).fetchone() == (None, True)


def test_a_rule_that_takes_long_stays_alone_until_it_is_short(
    lasting: Connection, run_job: RunJob, slow: str
) -> None:
    run_job("evaluate_alerts", None)
    lasting.execute("reset statement_timeout")
    alone = "select array_agg(name) from data.alert_rule where cancellations > 0"

    evaluate_all(lasting, run_job)
    assert ask(lasting, alone) == [slow]
    lasting.execute("truncate data.sample")
    lasting.execute("update data.alert_rule set due_at = null")
    evaluate_all(lasting, run_job)

    assert ask(lasting, alone) is None
