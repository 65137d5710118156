"""What readiness and the state of the database say, on databases that answer and that do not."""

from __future__ import annotations

import asyncio
import gc
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import msgspec
import pytest
from psycopg.conninfo import make_conninfo

from supervisor_mcp.config import Settings
from supervisor_mcp.errors import Problem
from supervisor_mcp.operations import changes, replication, state
from supervisor_mcp.operations import context as operations
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.state import read_readiness, read_state
from tests.support.ports import free_port
from tests.support.waiting import eventually_async

NOW = datetime(2025, 6, 15, 12, tzinfo=UTC)
READY = {"status": "ready", "database": "ok", "cache": "off", "ingest": "ok", "reasons": []}
LATE = "changes: they cannot be read, so answers of the cache may be stale"


def nowhere() -> str:
    return f"postgresql://postgres@127.0.0.1:{free_port()}/postgres"


@asynccontextmanager
async def process(database_url: str, **more: Any) -> AsyncIterator[Context]:
    settings = Settings(database_url=database_url, pool_size=1, **more)
    async with operations.connected(operations.build(settings)) as context:
        yield context


async def readiness(context: Context) -> dict[str, Any]:
    said: dict[str, Any] = msgspec.to_builtins(await read_readiness(context))
    return said


async def test_a_database_that_takes_writes_is_ready(database_url: str) -> None:
    async with process(database_url) as context:
        assert await readiness(context) == READY


async def test_a_database_that_takes_no_writes_is_a_standby(database_url: str) -> None:
    url = make_conninfo(database_url, options="-c default_transaction_read_only=on")
    async with process(url) as context:
        context.database._lost_write_at = time.monotonic()
        assert await readiness(context) == {
            **READY,
            "status": "degraded",
            "database": "standby",
            "ingest": "refused",
            "lag_seconds": None,
            "reasons": ["database: it is a standby or read-only, so it takes no writes"],
        }


async def test_without_its_database_a_process_is_not_ready() -> None:
    async with process(nowhere()) as context:
        with pytest.raises(Problem) as raised:
            await read_readiness(context)
    assert (raised.value.slug, raised.value.retry_after) == ("unavailable", 1)
    assert raised.value.hint
    assert raised.value.params == {"database": "unavailable", "cache": "off"}


async def test_without_its_cache_a_process_is_degraded(database_url: str) -> None:
    redis_url = f"redis://127.0.0.1:{free_port()}/0"
    async with process(database_url, redis_url=redis_url) as context:
        said = await readiness(context)
    (reason,) = said.pop("reasons")
    assert reason.startswith("cache: ")
    assert said == {"status": "degraded", "database": "ok", "cache": "degraded", "ingest": "ok"}


@pytest.mark.parametrize(("seconds", "late"), [(4.5, False), (5.5, True)])
async def test_changes_that_were_not_read_for_5_seconds_are_named(
    database_url: str, redis_url: str, seconds: float, *, late: bool
) -> None:
    async with process(database_url, redis_url=redis_url) as context:
        await context.changes.stop()
        context.changes._read_at = time.monotonic() - seconds
        said = await readiness(context)
    assert said["cache"] == "ok"
    assert said["reasons"] == [LATE] * late
    assert said["status"] == ("degraded" if late else "ready")


@pytest.mark.parametrize(("seconds", "failing"), [(299.5, True), (300.5, False)])
async def test_a_write_that_failed_is_named_for_5_minutes(
    database_url: str, seconds: float, *, failing: bool
) -> None:
    async with process(database_url) as context:
        context.database._lost_write_at = time.monotonic() - seconds
        said = await readiness(context)
    assert said["ingest"] == ("failing" if failing else "ok")
    assert said["reasons"] == ["ingest: the last write failed"] * failing


async def follows(context: Context) -> None:
    replication = context.replication
    assert replication is not None

    async def reads_from_standby() -> bool:
        return replication.reads_from_standby

    await eventually_async(reads_from_standby, "that the standby answers")


async def test_with_a_standby_it_is_said_which_of_both_answers(database_url: str) -> None:
    async with process(database_url, read_database_url=database_url) as context:
        await follows(context)
        assert context.replication is not None
        context.replication.lag_seconds = 0.5
        assert await readiness(context) == {**READY, "reads": "standby", "lag_seconds": 0.5}
        counted = await read_state(context, NOW)
        assert (counted["database_up"], counted["standby_lag_seconds"]) == (1, 0.5)
        context.replication.lag_seconds = 60
        said = await readiness(context)
    assert (said["status"], said["reads"], said["lag_seconds"]) == ("degraded", "primary", 60)
    assert said["reasons"][0].startswith("reads: the standby is 60.0 s behind")


async def test_a_standby_answers_without_its_primary(database_url: str) -> None:
    async with process(nowhere(), read_database_url=database_url) as context:
        assert context.replication is not None
        assert await context.replication.primary.locate() is None
        await follows(context)
        context.replication.lag_seconds = 0.5
        said = await readiness(context)
        counted = await read_state(context, NOW)
    (reason,) = said.pop("reasons")
    assert reason.startswith("reads: the primary does not answer")
    assert said == {
        "status": "degraded",
        "database": "unavailable",
        "cache": "off",
        "ingest": "failing",
        "reads": "standby",
        "lag_seconds": 0.5,
    }
    assert counted == {
        "database_up": 0,
        "standby_up": 1.0,
        "reads_from_standby": 1.0,
        "standby_lag_seconds": 0.5,
    }


async def test_what_the_database_holds_is_counted(database_url: str) -> None:
    async with process(database_url) as context:
        counted = await read_state(context, NOW)
    assert counted["database_up"] == 1
    assert len(counted) > 1
    assert "standby_up" not in counted


async def test_a_database_that_says_nothing_in_time_is_down(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(state, "STATE_SECONDS", 0.05)
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"postgresql://postgres@127.0.0.1:{listener.getsockname()[1]}/postgres"
    async with process(url) as context:
        assert await read_state(context, NOW) == {"database_up": 0}
        asking = [task for task in asyncio.all_tasks() if "read_aside" in repr(task.get_coro())]
        assert [task.cancelling() for task in asking] == [1]
        # Connections that wait for it end now.
        listener.close()


@pytest.mark.parametrize("module", [changes, replication, state])
async def test_the_end_of_a_call_that_nobody_waits_for_is_not_logged(
    module: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    loop = asyncio.get_running_loop()
    for end in (asyncio.Future.cancel, lambda call: call.set_exception(ValueError())):
        call = loop.create_future()
        call.add_done_callback(module._retrieve)
        end(call)
        await asyncio.sleep(0)
        del call
        gc.collect()
    assert caplog.records == []
