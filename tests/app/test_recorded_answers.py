"""Answers become snapshots after they are given, and no reader notices."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from supervisor_mcp.config import Settings
from supervisor_mcp.errors import Problem
from supervisor_mcp.operations import context as operations
from supervisor_mcp.operations.aggregates import AggregateQuery, query_agg
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.ingest import IngestOptions, ingest
from supervisor_mcp.operations.snapshots import LONGEST_QUEUE, SnapshotWriter
from tests.support.timescaledb import Server
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
def database_url(database_server: Server) -> Iterator[str]:
    """DSN of a database that is left with what is committed."""
    with database_server.deployed() as url:
        yield url


@pytest.fixture
async def context(database_url: str) -> AsyncIterator[Context]:
    settings = Settings(database_url=database_url)
    async with operations.connected(operations.build(settings)) as connected:
        yield connected


@pytest.fixture
async def standby(database_url: str) -> AsyncIterator[Context]:
    """A service on a server that takes no writes."""
    url = make_conninfo(database_url, options="-c default_transaction_read_only=on")
    async with operations.connected(operations.build(Settings(database_url=url))) as connected:
        yield connected


@pytest.fixture
def name() -> str:
    return f"metric_{uuid4().hex[:12]}"


async def post(context: Context, name: str) -> None:
    body = json.dumps({"name": name, "source": "s", "value": 1}).encode()
    await ingest(context, "ingest_metrics", body, IngestOptions(), datetime.now(UTC))


async def ask(context: Context, name: str, **more: object) -> dict[str, object]:
    query = AggregateQuery.read({"kind": name, "window": "7d", **more})
    found: dict[str, object] = json.loads(await query_agg(context, query, datetime.now(UTC)))
    return found


def stored(database_url: str, name: str) -> int:
    with psycopg.connect(database_url, prepare_threshold=None) as conn:
        row = conn.execute(
            "select count(*) from analytics.aggregates where kind = %s", [name]
        ).fetchone()
    assert row is not None
    return int(row[0])


async def settled(context: Context) -> None:
    """Wait until nothing is left to store."""
    task = context.snapshots._task
    if task is not None:
        await task


async def test_an_answer_is_stored_after_it_is_given(context: Context, name: str) -> None:
    await post(context, name)
    answer = await ask(context, name)
    await settled(context)
    now = datetime.now(UTC).isoformat()
    assert await ask(context, name, as_of=now) == answer


async def test_narrowed_answers_are_not_stored(
    context: Context, database_url: str, name: str
) -> None:
    await post(context, name)
    for more in ({"source": "s"}, {"group_by": "source"}, {"fields": ["count"]}):
        await ask(context, name, **more)
    await settled(context)
    assert stored(database_url, name) == 0


async def test_a_server_that_takes_no_writes_answers(
    context: Context,
    standby: Context,
    database_url: str,
    name: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await post(context, name)
    with caplog.at_level(logging.WARNING):
        assert (await ask(standby, name))["count"] == 1
        await settled(standby)
        # Not tried again for a minute.
        assert 59 < standby.snapshots._resume_at - asyncio.get_running_loop().time() <= 60
        task = standby.snapshots._task
        assert (await ask(standby, name))["count"] == 1
        assert standby.snapshots._task is task
    assert stored(database_url, name) == 0
    assert caplog.records == []


async def test_an_ingest_on_a_server_that_takes_no_writes_says_so(
    standby: Context, name: str
) -> None:
    with pytest.raises(Problem, match="read_only") as caught:
        await post(standby, name)
    assert caught.value.status == 503


async def test_a_full_queue_drops_what_comes(context: Context) -> None:
    writer = SnapshotWriter(context.database)
    for number in range(LONGEST_QUEUE + 10):
        writer.offer(f"kind{number}", "7d", b"{}")
    assert len(writer._waiting) == LONGEST_QUEUE
    await writer.stop()


@pytest.mark.native_only("a transaction that holds one table")
async def test_a_snapshot_that_cannot_be_stored_delays_no_answer(
    context: Context, database_url: str, name: str
) -> None:
    await post(context, name)
    with psycopg.connect(database_url) as holder:
        holder.execute("lock table data.aggregate in exclusive mode")
        for _ in range(20):
            assert (await ask(context, name))["count"] == 1
        assert stored(database_url, name) == 0
        holder.rollback()
    eventually(lambda: stored(database_url, name) == 1)
