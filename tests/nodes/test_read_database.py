"""Reads with a second database: a copy that has stopped to follow, on the server of the suite."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import LiteralString
from uuid import uuid4

import psycopg
import pytest
from prometheus_client import REGISTRY
from psycopg.conninfo import make_conninfo

from supervisor_mcp.config import Settings
from supervisor_mcp.errors import Problem
from supervisor_mcp.operations import context as operations
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.facts import FactQuery, query_facts
from supervisor_mcp.operations.ingest import IngestOptions, ingest
from supervisor_mcp.operations.metrics import SeriesQuery, query_metrics
from supervisor_mcp.operations.state import read_readiness
from tests.support.ports import free_port
from tests.support.timescaledb import Server
from tests.support.waiting import eventually_async

HOUR = 3600.0
# More than a copy writes by itself.
FAR_BYTES = 1024 * 1024


@dataclass
class Databases:
    primary: str
    copy: str


@pytest.fixture
def databases(database_server: Server) -> Iterator[Databases]:
    """A database with a kind of facts, and one that has as many transactions and lacks the kind."""
    with database_server.deployed() as primary, database_server.deployed() as copy:
        catch_up(primary, copy)
        yield Databases(primary, make_conninfo(copy, options="-c default_transaction_read_only=on"))


def catch_up(primary: str, copy: str) -> None:
    """Let both begin their next transactions with the same number, and the primary be far ahead.

    Each of them may have been the database of other tests before.
    """
    end = "select pg_current_wal_flush_lsn() - '0/0'::pg_lsn"
    far = number(copy, end) + FAR_BYTES
    # A switch without a transaction before it does nothing.
    while number(primary, end) < far and begin(primary):
        number(primary, "select pg_switch_wal() - '0/0'::pg_lsn")
    last = max(begin(primary), begin(copy))
    for url in (primary, copy):
        while begin(url) <= last:
            pass


def begin(url: str) -> int:
    return number(url, "select pg_current_xact_id()::text::bigint")


def number(url: str, statement: LiteralString) -> int:
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
        row = connection.execute(statement).fetchone()
    assert row is not None
    return int(row[0])


@asynccontextmanager
async def process(primary: str, standby: str, lag: float = HOUR) -> AsyncIterator[Context]:
    settings = Settings(database_url=primary, read_database_url=standby, read_lag_seconds=lag)
    async with operations.connected(operations.build(settings)) as context:

        async def has_begun() -> bool:
            return context.cache.changes.since is not None

        await eventually_async(has_begun, "the first reading")
        yield context


@pytest.fixture
def kind() -> str:
    return f"Fact:Kind{uuid4().hex[:12]}"


async def post(context: Context, kind: str) -> None:
    body = json.dumps({"kind": kind, "source": "s", "fact_id": "a"}).encode()
    await ingest(context, "ingest_facts", body, IngestOptions(), datetime.now(UTC))


async def facts(context: Context, kind: str | None) -> int:
    answer = await query_facts(context, FactQuery(kind=kind), datetime.now(UTC))
    return len(json.loads(answer)["items"])


def answered_by(server: str) -> float:
    found = REGISTRY.get_sample_value("supervisor_database_reads_total", {"server": server})
    return found or 0.0


async def standby_answers(context: Context) -> None:
    replication = context.replication
    assert replication is not None

    async def is_so() -> bool:
        return replication.reads_from_standby

    await eventually_async(is_so, "that the standby answers")


async def test_what_a_standby_has_is_answered_by_it(databases: Databases) -> None:
    async with process(databases.primary, databases.copy) as context:
        await standby_answers(context)
        before = answered_by("standby")
        assert await facts(context, None) == 0
        assert answered_by("standby") == before + 1


async def test_what_a_standby_lacks_is_answered_by_the_primary(
    databases: Databases, kind: str
) -> None:
    async with process(databases.primary, databases.copy) as context:
        await standby_answers(context)
        await post(context, kind)
        before = answered_by("primary")
        assert await facts(context, kind) == 1
        assert await facts(context, None) == 1
        assert answered_by("primary") == before + 2


async def test_what_is_unknown_to_both_is_refused(databases: Databases) -> None:
    async with process(databases.primary, databases.copy) as context:
        await standby_answers(context)
        with pytest.raises(Problem) as refused:
            await query_metrics(context, SeriesQuery(name="unknown"), datetime.now(UTC))
    assert refused.value.slug == "kind_unknown"


async def test_a_copy_that_follows_no_more_is_soon_too_far_behind(
    databases: Databases, kind: str
) -> None:
    async with process(databases.primary, databases.copy, lag=0.5) as context:
        await post(context, kind)

        async def is_behind() -> bool:
            readiness = await read_readiness(context)
            return readiness.reads == "primary" and "more than 0.5 s" in str(readiness.reasons)

        await eventually_async(is_behind, "the lag")
        assert (await read_readiness(context)).status == "degraded"


async def test_without_its_standby_a_node_answers_and_says_so(
    fresh_database: str, kind: str
) -> None:
    nowhere = f"postgresql://postgres@127.0.0.1:{free_port()}/postgres"
    async with process(fresh_database, nowhere) as context:
        await post(context, kind)
        assert await facts(context, kind) == 1
        readiness = await read_readiness(context)
    assert (readiness.status, readiness.reads, readiness.lag_seconds) == (
        "degraded",
        "primary",
        None,
    )


async def test_without_its_primary_a_node_answers_and_takes_no_writes(
    databases: Databases, kind: str
) -> None:
    nowhere = f"postgresql://postgres@127.0.0.1:{free_port()}/postgres"
    settings = Settings(database_url=nowhere, read_database_url=databases.copy)
    async with operations.connected(operations.build(settings)) as context:
        await standby_answers(context)
        assert await facts(context, None) == 0
        readiness = await read_readiness(context)
        assert (readiness.database, readiness.ingest) == ("unavailable", "failing")
        with pytest.raises(Problem) as refused:
            await post(context, kind)
    assert refused.value.status == 503


async def test_a_node_whose_database_takes_no_writes_says_so(databases: Databases) -> None:
    settings = Settings(database_url=databases.copy)
    async with operations.connected(operations.build(settings)) as context:
        readiness = await read_readiness(context)
    assert (readiness.status, readiness.database, readiness.ingest) == (
        "degraded",
        "standby",
        "refused",
    )
    assert readiness.reasons == ["database: it is a standby or read-only, so it takes no writes"]
