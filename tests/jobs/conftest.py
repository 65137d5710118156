"""A database with jobs that run when called; jobs go by the real clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg import Connection

from tests.sql.alerts import above, define
from tests.sql.calls import ask, ingest_metrics, metric
from tests.support.timescaledb import Server

RunJob = Callable[[str, str | None], None]


@contextmanager
def committing(server: Server) -> Iterator[Connection]:
    """A connection that commits, to a new database."""
    with (
        server.deployed() as url,
        psycopg.connect(url, autocommit=True, prepare_threshold=None) as conn,
    ):
        # A day that just got late samples would wait.
        conn.execute(
            'select alter_job(job_id, config => config || \'{"settle": "0"}\')'
            " from ops.policies where policy = 'refresh_late'"
        )
        yield conn


@pytest.fixture(scope="module")
def lasting(database_server: Server) -> Iterator[Connection]:
    """A connection that commits, to what the tests of a module share."""
    with committing(database_server) as conn:
        yield conn


@pytest.fixture
def clock() -> datetime:
    """The instant at which the test starts."""
    return datetime.now(UTC)


@pytest.fixture
def run_job(lasting: Connection) -> RunJob:
    """Run the job of a procedure, of one relation where it has many."""

    def run(procedure: str, relation: str | None = None) -> None:
        (job,) = lasting.execute(
            "select job_id from ops.policies"
            " where policy = %s and (%s::text is null or relation = 'data.' || %s)",
            [procedure, relation, relation],
        ).fetchall()
        lasting.execute("call run_job(%s)", job)

    return run


@pytest.fixture
def forty_rules(lasting: Connection, clock: datetime) -> Iterator[None]:
    """Forty rules, more than the job takes at a time, of which all are due and one fires."""
    earlier = (clock - timedelta(minutes=1)).isoformat()
    ingest_metrics(lasting, [metric(value=3, ts=earlier)], now=clock)
    for number in range(40):
        define(lasting, above(2 + number), name=f"rule_{number}")
    yield
    lasting.execute(
        "truncate data.every_alert, data.alert_transition, data.alert_rule_version,"
        " data.every_alert_rule"
    )


def due(conn: Connection) -> int:
    """How many rules are to be evaluated."""
    count: int = ask(conn, "select cardinality(internal.due_alert_rules(clock_timestamp(), 100))")
    return count
