"""Jobs that work in pieces, as where one backend serves everyone, and go on at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from psycopg import Connection

from tests.jobs.conftest import RunJob, committing
from tests.sql.calls import ask, ingest_metrics, metric, query_agg
from tests.support.timescaledb import Server

KIND = "pieces"
NEXT_START = "select next_start from timescaledb_information.jobs where proc_name = %s"
SAME = ("count", "sum", "min", "max", "last")


@pytest.fixture
def lasting(database_server: Server) -> Iterator[Connection]:
    """A connection that commits, to a database of each test: what is rolled up stays so."""
    with committing(database_server) as conn:
        yield conn


@pytest.fixture
def impatient(lasting: Connection) -> Iterator[Connection]:
    """A connection on which every job has used up its turn after one piece."""
    lasting.execute("set supervisor.turn = '1 microsecond'")
    yield lasting
    lasting.execute("reset supervisor.turn")


def run_out(conn: Connection, run_job: RunJob, procedure: str) -> int:
    """Run a job until it does not ask to go on at once; how many times."""
    for runs in range(1, 1000):
        before = ask(conn, NEXT_START, procedure)
        run_job(procedure, None)
        if ask(conn, NEXT_START, procedure) == before:
            return runs
    raise AssertionError(procedure)


def send(conn: Connection, clock: datetime, hours: list[int]) -> None:
    """Send samples of so many hours ago."""
    items = [
        metric(KIND, value=hour, ts=(clock - timedelta(hours=hour, minutes=1)).isoformat())
        for hour in hours
    ]
    ingest_metrics(conn, items, now=clock)


def test_pieces_of_rollups_come_to_the_same_answer(
    impatient: Connection, clock: datetime, run_job: RunJob
) -> None:
    # Nothing for ten days, in between.
    send(impatient, clock, [*range(0, 72, 2), *range(312, 384)])
    before = query_agg(impatient, KIND, "30d", group_by="source", now=clock)

    assert run_out(impatient, run_job, "refresh_rollups") > 20
    after = query_agg(impatient, KIND, "30d", group_by="source", now=clock)
    for key in SAME:
        assert after[key] == before[key]
        assert after["groups"][0].get(key) == before["groups"][0].get(key)
    assert ask(impatient, "select count(*) from data.kind_1d") >= 5
    assert after["freshness"]["watermark"] is not None


def test_pieces_of_late_samples_come_to_the_same_answer(
    impatient: Connection, clock: datetime, run_job: RunJob
) -> None:
    send(impatient, clock, [0, 24])
    run_out(impatient, run_job, "refresh_rollups")
    send(impatient, clock, [31, 37, 43, 103, 109, 500])
    before = query_agg(impatient, KIND, "30d", group_by="source", now=clock)

    assert run_out(impatient, run_job, "refresh_late") > 3
    assert ask(impatient, "select count(*) from data.late_hour") == 0
    after = query_agg(impatient, KIND, "30d", group_by="source", now=clock)
    for key in SAME:
        assert after[key] == before[key]
        assert after["groups"][0].get(key) == before["groups"][0].get(key)
