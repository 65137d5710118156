"""A database where what is done is committed, shared by the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count

import psycopg
import pytest
from psycopg import Connection

from tests.support.timescaledb import Server


@pytest.fixture
def db(db: Connection) -> Connection:
    """The connection of all tests, without what running services have noted of themselves."""
    db.execute("delete from data.service_uptime")
    return db


@contextmanager
def committing(server: Server) -> Iterator[Connection]:
    """Commit to a database where, by the clock of the server, nothing is too old to refresh."""
    with (
        server.deployed() as url,
        psycopg.connect(url, autocommit=True, prepare_threshold=None) as conn,
    ):
        for relation in ("sample", "sample_1h", "kind_1h"):
            conn.execute("select remove_retention_policy(%s)", [f"data.{relation}"])
        yield conn


@pytest.fixture(scope="module")
def lasting(database_server: Server) -> Iterator[Connection]:
    """A connection that commits, to what the tests of a module share."""
    with committing(database_server) as conn:
        yield conn


@pytest.fixture
def lasting_alone(database_server: Server) -> Iterator[Connection]:
    """A connection that commits, for what would change the tests after it."""
    with committing(database_server) as conn:
        yield conn


@pytest.fixture(scope="module")
def ages() -> Iterator[datetime]:
    """Ends of time, each one 200 days after the one before and so untouched by what it left."""
    first = datetime(1990, 3, 1, 12, 34, 56, 789000, tzinfo=UTC)
    return (first + timedelta(days=200 * n) for n in count())


@pytest.fixture
def now(ages: Iterator[datetime]) -> datetime:
    """An end of time of this test's own, above the watermarks that others left."""
    return next(ages)
