"""A primary and its streaming standby, as the service uses them."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

import pytest
import redis
from prometheus_client import REGISTRY
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from supervisor_mcp.config import Settings
from supervisor_mcp.errors import Problem
from supervisor_mcp.operations import context as operations
from supervisor_mcp.operations.aggregates import AggregateQuery, query_agg
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.facts import FactQuery, query_facts
from supervisor_mcp.operations.ingest import IngestOptions, ingest
from supervisor_mcp.operations.servers import ServerListQuery, list_servers
from supervisor_mcp.operations.state import read_readiness, read_state
from tests.support import replica
from tests.support.data_directories import deploy_shipped, stop_jobs
from tests.support.replica import Postgres
from tests.support.waiting import eventually, eventually_async

pytestmark = pytest.mark.server

LAG_SECONDS = 2.0


@dataclass
class Pair:
    primary: Postgres
    standby: Postgres

    def is_caught_up(self) -> bool:
        (wrote,) = self.primary.execute("select wal_position from api.get_replication()")
        (has,) = self.standby.execute("select wal_position from api.get_replication()")
        return bool(has >= wrote)


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with replica.servers() as servers:
        primary = servers.primary()
        deploy_shipped(primary.url)
        stop_jobs(primary.url)
        yield Pair(primary, servers.standby(primary))


@pytest.fixture
def running(pair: Pair) -> Iterator[Pair]:
    """Both run and the standby follows; so they do afterwards."""
    yield pair
    pair.primary.thaw()
    pair.standby.thaw()
    pair.primary.start()
    pair.primary.execute("alter system reset synchronous_standby_names")
    pair.primary.execute("select pg_reload_conf()")
    pair.standby.start()
    pair.standby.execute("select pg_wal_replay_resume()")
    eventually(pair.is_caught_up, "the standby")


@asynccontextmanager
async def process(
    pair: Pair, redis_url: str | None = None, **more: object
) -> AsyncIterator[Context]:
    """A process of the service that has heard from both servers."""
    settings = Settings.model_validate(
        {
            "database_url": pair.primary.url,
            "read_database_url": pair.standby.url,
            "read_lag_seconds": LAG_SECONDS,
            "redis_url": redis_url,
            **more,
        }
    )
    async with operations.connected(operations.build(settings)) as context:
        await reads_from(context, "standby")
        yield context


async def reads_from(context: Context, server: str) -> None:
    replication = context.replication
    assert replication is not None

    async def has_begun() -> bool:
        known = context.changes.seconds_since_reading() < 5 and context.cache.changes.since
        return bool(known) and replication.reads_from_standby == (server == "standby")

    await eventually_async(has_begun, f"that the {server} answers")


@pytest.fixture
async def context(running: Pair) -> AsyncIterator[Context]:
    async with process(running) as context:
        yield context


@pytest.fixture
def kind() -> str:
    return f"Fact:Kind{uuid4().hex[:12]}"


async def post(context: Context, kind: str, *names: str, key: str | None = None) -> dict[str, int]:
    items = [{"kind": kind, "source": kind, "fact_id": name} for name in names]
    options = IngestOptions(idempotency_key=key)
    receipt = await ingest(
        context, "ingest_facts", json.dumps(items).encode(), options, datetime.now(UTC)
    )
    found: dict[str, int] = json.loads(receipt)
    return found


async def count(context: Context, kind: str) -> int:
    query = AggregateQuery(kind=kind, window="7d")
    return int(json.loads(await query_agg(context, query, datetime.now(UTC)))["count"])


async def facts(context: Context, kind: str) -> int:
    answer = await query_facts(context, FactQuery(kind=kind), datetime.now(UTC))
    return len(json.loads(answer)["items"])


def answered_by(server: str) -> float:
    """How many reads a server has answered."""
    found = REGISTRY.get_sample_value("supervisor_database_reads_total", {"server": server})
    return found or 0.0


async def replayed(pair: Pair) -> None:
    async def is_so() -> bool:
        return pair.is_caught_up()

    await eventually_async(is_so, "the standby")


async def test_questions_about_a_kind_are_answered_by_the_standby(
    running: Pair, context: Context, kind: str
) -> None:
    await post(context, kind, "a", "b")
    await replayed(running)
    before = answered_by("standby")
    assert await count(context, kind) == 2
    assert await facts(context, kind) == 2
    assert answered_by("standby") == before + 2


async def test_an_acknowledged_write_is_in_the_next_answer(
    running: Pair, context: Context, kind: str
) -> None:
    for number in range(1, 30):
        await post(context, kind, str(number))
        assert await count(context, kind) == number


async def test_what_another_process_has_acknowledged_is_in_the_next_answer(
    running: Pair, context: Context, kind: str
) -> None:
    async with process(running) as other:
        running.standby.execute("select pg_wal_replay_pause()")
        await post(other, kind, "a")
        assert await count(context, kind) == 1
        assert await facts(context, kind) == 1


async def test_other_kinds_are_answered_by_a_standby_that_lacks_one(
    running: Pair, context: Context, kind: str
) -> None:
    await post(context, kind, "a")
    await replayed(running)
    running.standby.execute("select pg_wal_replay_pause()")
    await post(context, f"{kind}Other", "a")
    before = answered_by("standby")
    assert await count(context, kind) == 1
    assert answered_by("standby") == before + 1


async def test_a_standby_that_is_too_far_behind_answers_nothing(
    running: Pair, context: Context, kind: str
) -> None:
    await post(context, kind, "a")
    await replayed(running)
    running.standby.execute("select pg_wal_replay_pause()")
    await post(context, f"{kind}Other", "a")
    await reads_from(context, "primary")
    before = answered_by("standby")
    assert await count(context, kind) == 1
    assert answered_by("standby") == before
    readiness = await read_readiness(context)
    assert (readiness.status, readiness.reads) == ("degraded", "primary")
    assert isinstance(readiness.lag_seconds, float)
    assert readiness.lag_seconds > LAG_SECONDS
    assert "behind, more than 2 s" in readiness.reasons[0]
    state = await read_state(context, datetime.now(UTC))
    assert (state["reads_from_standby"], state["standby_up"]) == (0, 1)
    running.standby.execute("select pg_wal_replay_resume()")
    await reads_from(context, "standby")
    assert (await read_readiness(context)).status == "ready"


async def test_the_primary_answers_while_the_standby_is_away(
    running: Pair, context: Context, kind: str
) -> None:
    await post(context, kind, "a")
    running.standby.crash()
    assert await count(context, kind) == 1
    await reads_from(context, "primary")
    readiness = await read_readiness(context)
    assert (readiness.status, readiness.reads, readiness.lag_seconds) == (
        "degraded",
        "primary",
        None,
    )
    assert readiness.reasons == [
        "reads: the standby does not answer, so the primary answers everything"
    ]
    running.standby.start()
    await reads_from(context, "standby")
    assert await count(context, kind) == 1


def of_both(pair: Pair, which: str) -> str:
    """A DSN that names both servers, the primary first."""
    ports = [conninfo_to_dict(server.url)["port"] for server in (pair.primary, pair.standby)]
    port = ",".join(map(str, ports))
    host = ",".join("127.0.0.1" for _ in ports)
    return make_conninfo(pair.primary.url, host=host, port=port, target_session_attrs=which)


async def asks_a_standby(context: Context) -> bool:
    """Whether the server that should be a standby is one."""
    assert context.replication is not None
    (is_standby,) = await context.replication.standby.database.read(
        "select pg_is_in_recovery()", {}
    )
    return bool(is_standby)


async def test_the_standby_is_found_among_all_servers_and_again_when_it_is_back(
    running: Pair, kind: str
) -> None:
    async with process(running, read_database_url=of_both(running, "standby")) as context:
        assert await asks_a_standby(context)
        await post(context, kind, "a")
        running.standby.crash()
        assert await count(context, kind) == 1
        await reads_from(context, "primary")
        running.standby.start()
        await reads_from(context, "standby")
        assert await asks_a_standby(context)
        assert await count(context, kind) == 1


async def test_where_a_standby_is_only_preferred_the_primary_takes_its_place_and_keeps_it(
    running: Pair, kind: str
) -> None:
    preferred = of_both(running, "prefer-standby")
    async with process(running, read_database_url=preferred) as context:
        assert await asks_a_standby(context)
        await post(context, kind, "a")
        running.standby.crash()
        assert await count(context, kind) == 1
        assert not await asks_a_standby(context)

        async def is_ready() -> bool:
            # The connection that measures the lag is lost once.
            return (await read_readiness(context)).status == "ready"

        await eventually_async(is_ready, "that it is ready")
        await reads_from(context, "standby")
        running.standby.start()
        assert not await asks_a_standby(context)


async def test_the_standby_answers_while_the_primary_is_away(
    running: Pair, context: Context, kind: str
) -> None:
    await post(context, kind, "a")
    await replayed(running)
    running.primary.crash()
    assert await count(context, kind) == 1
    assert json.loads(await list_servers(context, ServerListQuery(), datetime.now(UTC)))
    with pytest.raises(Problem) as refused:
        await post(context, kind, "b")
    assert (refused.value.slug, refused.value.status) == ("unavailable", 503)
    readiness = await read_readiness(context)
    assert (readiness.status, readiness.database, readiness.reads, readiness.ingest) == (
        "degraded",
        "unavailable",
        "standby",
        "failing",
    )
    running.primary.start()

    async def is_ready() -> bool:
        return (await read_readiness(context)).database == "ok"

    await eventually_async(is_ready)
    await post(context, kind, "b")
    assert await count(context, kind) == 2


@pytest.mark.parametrize("frozen", ["primary", "standby"])
async def test_a_server_that_hangs_delays_reads_for_seconds_and_then_not_at_all(
    running: Pair, context: Context, kind: str, frozen: str
) -> None:
    await post(context, kind, "a")
    await replayed(running)
    getattr(running, frozen).freeze()
    began = time.monotonic()
    assert await count(context, kind) == 1
    assert time.monotonic() - began < 4
    for _ in range(3):
        began = time.monotonic()
        assert await count(context, kind) == 1
        assert time.monotonic() - began < 0.5


async def test_an_answer_without_what_was_acknowledged_is_refused_while_the_primary_is_away(
    running: Pair, context: Context, kind: str
) -> None:
    await post(context, kind, "a")
    await replayed(running)
    running.standby.execute("select pg_wal_replay_pause()")
    await post(context, f"{kind}Other", "a")
    running.primary.crash()
    assert await count(context, kind) == 1
    with pytest.raises(Problem) as refused:
        await count(context, f"{kind}Other")
    assert refused.value.status == 503


async def test_no_answer_of_a_lagging_standby_is_shared(
    running: Pair, redis_url: str, kind: str
) -> None:
    async with process(running, redis_url) as one, process(running, redis_url) as other:
        await post(one, kind, "a")
        await replayed(running)
        running.standby.execute("select pg_wal_replay_pause()")
        assert await count(one, kind) == 1
        await post(other, kind, "b")
        for _ in range(5):
            assert await count(one, kind) == 2
            assert await count(other, kind) == 2


async def test_nothing_is_shared_while_the_primary_is_away(
    running: Pair, redis_url: str, kind: str
) -> None:
    async with process(running, redis_url) as context:
        await post(context, kind, "a")
        await replayed(running)
        running.primary.crash()
        assert await count(context, kind) == 1
        key = AggregateQuery(kind=kind, window="7d").key("")
        assert key is not None
        with redis.Redis.from_url(redis_url) as client:
            assert not client.exists(key.answer)


async def test_a_node_whose_database_is_a_standby_answers_and_takes_no_writes(
    running: Pair, kind: str
) -> None:
    async with process(running) as writer:
        await post(writer, kind, "a")
    await replayed(running)
    settings = Settings(database_url=running.standby.url)
    async with operations.connected(operations.build(settings)) as context:
        assert await count(context, kind) == 1
        with pytest.raises(Problem) as refused:
            await post(context, kind, "b")
        assert (refused.value.slug, refused.value.status) == ("read_only", 503)
        readiness = await read_readiness(context)
        assert (readiness.status, readiness.database, readiness.ingest) == (
            "degraded",
            "standby",
            "refused",
        )
        assert isinstance(readiness.lag_seconds, float)


@asynccontextmanager
async def without_its_synchronous_standby(pair: Pair) -> AsyncIterator[Context]:
    """A process whose primary waits for a standby that is away."""
    pair.primary.execute("alter system set synchronous_standby_names = 'standby'")
    pair.primary.execute("select pg_reload_conf()")
    settings = Settings(database_url=pair.primary.url, statement_timeout_seconds=2)
    async with operations.connected(operations.build(settings)) as context:
        await post(context, "Fact:Before", uuid4().hex)
        pair.standby.stop()
        yield context


async def test_reads_answer_while_writes_wait_for_a_synchronous_standby(
    running: Pair, kind: str
) -> None:
    async with without_its_synchronous_standby(running) as context:
        writes = [asyncio.create_task(post(context, kind, str(each))) for each in range(20)]
        await asyncio.sleep(0.5)
        for window in ("1h", "2h", "3h", "6h", "12h", "24h"):
            began = time.monotonic()
            query = AggregateQuery(window=window)
            await query_agg(context, query, datetime.now(UTC))
            assert time.monotonic() - began < 1
        outcomes = await asyncio.gather(*writes, return_exceptions=True)
    assert {outcome.status for outcome in outcomes if isinstance(outcome, Problem)} <= {503, 504}
    assert all(isinstance(outcome, Problem) for outcome in outcomes)


async def test_a_write_that_waited_in_vain_is_repeated_with_its_key(
    running: Pair, kind: str
) -> None:
    async with without_its_synchronous_standby(running) as context:
        with pytest.raises(Problem) as late:
            await post(context, kind, "a", key=kind)
        assert (late.value.status, late.value.slug) == (504, "too_slow")
        assert "whether the items are stored is unknown" in late.value.detail
        assert "safe with the same Idempotency-Key" in (late.value.hint or "")
        with pytest.raises(Problem):
            await post(context, kind, "a", key=kind)
        with pytest.raises(Problem):
            await post(context, kind, "a")
        running.standby.start()
        assert (await post(context, kind, "a", key=kind))["accepted"] == 1
        assert await count(context, kind) == 1


async def test_an_answer_is_recorded_while_the_synchronous_standby_is_away(
    running: Pair, kind: str
) -> None:
    async with without_its_synchronous_standby(running) as context:
        asked = AggregateQuery(window="7d")
        before = running.primary.execute("select count(*) from data.aggregate")
        await query_agg(context, asked, datetime.now(UTC))

        async def is_stored() -> bool:
            return running.primary.execute("select count(*) from data.aggregate") != before

        await eventually_async(is_stored, "the recorded answer")
        assert (await read_readiness(context)).status == "ready"
