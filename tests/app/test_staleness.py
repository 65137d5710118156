"""No answer stays stale for long, whatever Redis loses: processes on one database and one Redis."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
import redis

from supervisor_mcp.config import Settings
from supervisor_mcp.errors import Problem
from supervisor_mcp.operations import context as operations
from supervisor_mcp.operations.aggregates import AggregateQuery, query_agg
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.ingest import IngestOptions, ingest
from tests.support import proxy
from tests.support.timescaledb import Server
from tests.support.waiting import eventually_async

BOUND_SECONDS = 2.0
# What a busy machine adds.
SLACK_SECONDS = 3.0


@asynccontextmanager
async def process(database_url: str, redis_url: str, seconds: int = 30) -> AsyncIterator[Context]:
    """A process that has read changes once."""
    settings = Settings(
        database_url=database_url, redis_url=redis_url, statement_timeout_seconds=seconds
    )
    async with operations.connected(operations.build(settings)) as context:
        await begun(context)
        yield context


async def begun(context: Context) -> None:
    async def has_read() -> bool:
        return context.cache.changes.since is not None

    await eventually_async(has_read, "the first reading")


@pytest.fixture(scope="module")
def database_url(database_server: Server) -> Iterator[str]:
    """DSN of a database that is left with what is committed."""
    with database_server.deployed() as url:
        yield url


@pytest.fixture
async def writer(database_url: str, redis_url: str) -> AsyncIterator[Context]:
    async with process(database_url, redis_url) as context:
        yield context


@pytest.fixture
async def reader(database_url: str, redis_url: str) -> AsyncIterator[Context]:
    async with process(database_url, redis_url) as context:
        yield context


@pytest.fixture
def kind() -> str:
    return f"Fact:Kind{uuid4().hex[:12]}"


async def post(context: Context, kind: str, *names: str) -> dict[str, int]:
    items = [{"kind": kind, "source": kind, "fact_id": name} for name in names]
    body = json.dumps(items).encode()
    receipt = await ingest(context, "ingest_facts", body, IngestOptions(), datetime.now(UTC))
    found: dict[str, int] = json.loads(receipt)
    return found


async def count(context: Context, kind: str) -> int:
    query = AggregateQuery(kind=kind, window="7d")
    answer = json.loads(await query_agg(context, query, datetime.now(UTC)))
    return int(answer["count"])


async def every_count(context: Context, kind: str) -> int:
    answer = json.loads(await query_agg(context, AggregateQuery(window="7d"), datetime.now(UTC)))
    return next(int(found["count"]) for found in answer["kinds"] if found["kind"] == kind)


async def becomes(context: Context, kind: str, expected: int) -> None:
    """Wait until the answer is fresh, no longer than the bound."""
    began = time.monotonic()

    async def fresh() -> bool:
        return await count(context, kind) == expected

    await eventually_async(fresh, "the fresh answer", seconds=BOUND_SECONDS + SLACK_SECONDS)
    assert await every_count(context, kind) == expected
    assert time.monotonic() - began < BOUND_SECONDS + SLACK_SECONDS


async def store_elsewhere(database_url: str, kind: str, name: str) -> None:
    """Commit as a worker does that is killed before it reaches Redis."""
    body = json.dumps({"kind": kind, "source": kind, "fact_id": name})
    async with await psycopg.AsyncConnection.connect(
        database_url, autocommit=True, prepare_threshold=None
    ) as conn:
        await conn.execute(
            "select answer from api.ingest_facts(%s::json, false, null, now())", [body]
        )


async def test_answers_are_kept_and_shared(writer: Context, reader: Context, kind: str) -> None:
    await post(writer, kind, "a")
    query = AggregateQuery(kind=kind, window="7d")
    first = await query_agg(writer, query, datetime.now(UTC))
    await reader.changes.read()
    assert await query_agg(reader, query, datetime.now(UTC)) == first


async def test_a_worker_killed_between_commit_and_invalidation_leaves_no_stale_answer(
    database_url: str, reader: Context, kind: str
) -> None:
    await post(reader, kind, "a")
    assert (await count(reader, kind), await every_count(reader, kind)) == (1, 1)
    await store_elsewhere(database_url, kind, "b")
    await becomes(reader, kind, 2)


async def test_a_failover_of_redis_that_loses_the_invalidation_leaves_no_stale_answer(
    writer: Context, reader: Context, kind: str, redis_url: str
) -> None:
    await post(writer, kind, "a")
    assert (await count(reader, kind), await every_count(reader, kind)) == (1, 1)
    with redis.Redis.from_url(redis_url) as client:
        replica = {name: client.dump(name) or b"" for name in client.keys("supervisor:*")}
        await post(writer, kind, "b")
        client.flushdb()
        for name, dumped in replica.items():
            client.restore(name, 0, dumped)
        assert json.loads(client.get(f"supervisor:agg:{kind}:7d") or b"")["count"] == 1
    await becomes(reader, kind, 2)
    await becomes(writer, kind, 2)


async def test_a_worker_cut_off_from_redis_and_ended_leaves_no_stale_answer(
    database_url: str, redis_url: str, reader: Context, kind: str
) -> None:
    address = urlsplit(redis_url)
    async with AsyncExitStack() as stack:
        breakable = await stack.enter_async_context(
            proxy.start(str(address.hostname), address.port or 0)
        )
        through = f"redis://127.0.0.1:{breakable.port}{address.path}"
        async with process(database_url, through) as doomed:
            await post(doomed, kind, "a")
            assert await count(reader, kind) == 1
            breakable.refusing = True
            breakable.drop()
            await post(doomed, kind, "b")
            assert await count(doomed, kind) == 2
    await becomes(reader, kind, 2)


async def test_a_retry_of_what_is_stored_invalidates(
    database_url: str, writer: Context, kind: str
) -> None:
    await post(writer, kind, "a")
    assert await count(writer, kind) == 1
    await store_elsewhere(database_url, kind, "b")
    assert (await post(writer, kind, "b"))["duplicate"] == 1
    assert await count(writer, kind) == 2


async def test_an_ingest_invalidates_although_its_client_has_left(
    database_url: str, redis_url: str, kind: str
) -> None:
    async with process(database_url, redis_url) as context:
        await post(context, kind, "a")
        assert await count(context, kind) == 1
        # Nobody reads what others changed: only the ingest itself can end the kept answer.
        await context.changes.stop()
        with psycopg.connect(database_url, prepare_threshold=None) as holder:
            holder.execute("lock table data.fact_identity in exclusive mode")
            before = context.database._pool.get_stats()["requests_num"]
            posted = asyncio.create_task(post(context, kind, "b"))

            async def has_begun() -> bool:
                return context.database._pool.get_stats()["requests_num"] > before

            await eventually_async(has_begun, "the ingest")
            posted.cancel()
            await asyncio.wait({posted})
            holder.rollback()

        async def fresh() -> bool:
            return await count(context, kind) == 2

        await eventually_async(fresh, "the fresh answer")


async def test_an_ingest_that_timed_out_and_was_stored_all_the_same_is_noticed(
    database_url: str, redis_url: str, kind: str
) -> None:
    async with process(database_url, redis_url, seconds=1) as impatient:
        await post(impatient, kind, "a")
        assert await count(impatient, kind) == 1
        with psycopg.connect(database_url, prepare_threshold=None) as holder:
            # On a server with many sessions, only what the ingest writes to is held.
            holder.execute("lock table data.fact_identity in exclusive mode")
            posted = asyncio.create_task(post(impatient, kind, "b"))
            # Past the limit of 1 s and its grace of 2 s.
            await asyncio.wait({posted}, timeout=3.5)
            holder.rollback()
            with pytest.raises(Problem) as caught:
                await posted
        assert caught.value.status == 504
        await post(impatient, kind, "b")
        assert await count(impatient, kind) == 2


async def test_a_database_that_does_not_answer_leaves_kept_answers_in_use(
    database_url: str, redis_url: str, kind: str
) -> None:
    address = psycopg.conninfo.conninfo_to_dict(database_url)
    async with proxy.start(str(address["host"]), int(address["port"] or 5432)) as breakable:
        through = psycopg.conninfo.make_conninfo(
            database_url, host="127.0.0.1", port=breakable.port
        )
        async with process(through, redis_url) as context:
            await post(context, kind, "a")
            await count(context, kind)
            breakable.refusing = True
            breakable.drop()
            assert await count(context, kind) == 1
            await store_elsewhere(database_url, kind, "b")
            breakable.refusing = False
            await becomes(context, kind, 2)
