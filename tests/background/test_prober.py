"""The prober on a database: who probes, when, and what a loss of the database does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from supervisor_mcp.background.conversation import Remote
from supervisor_mcp.background.start import running
from supervisor_mcp.config import Settings
from supervisor_mcp.operations import context as operations
from tests.background import remotes
from tests.sql.calls import ask
from tests.sql.test_probes import register
from tests.support import proxy
from tests.support.tenants import within
from tests.support.waiting import eventually_async


@pytest.fixture
def conn(fresh_database: str) -> Iterator[Connection]:
    with psycopg.connect(fresh_database, autocommit=True, prepare_threshold=None) as connected:
        yield connected


@asynccontextmanager
async def process(database_url: str, **more: Any) -> AsyncIterator[None]:
    """The loops of a web process."""
    settings = Settings(database_url=database_url, probe_allowed=("127.0.0.0/8",), **more)
    async with (
        operations.connected(operations.build(settings)) as context,
        running(context, settings),
    ):
        yield


async def becomes(
    conn: Connection, statement: str, holds: Callable[[Any], bool], *, seconds: float = 30
) -> Any:
    """Wait until the answer of a statement is as it should be, and return it."""

    async def found() -> Any:
        answer = await asyncio.to_thread(ask, conn, statement)
        return (answer,) if holds(answer) else None

    return (await eventually_async(found, statement, seconds=seconds))[0]


def listed(remote: Remote) -> dict[str, str]:
    """A remote as a server.json lists it."""
    return {"type": remote.type, "url": remote.url}


PROBES = "select count(*) from data.health_report where signal = 'probe'"
HOLDER = "select holder from data.lease where name = 'prober' and expires_at > now()"


async def test_a_registered_server_is_probed_again_and_again(
    fresh_database: str, conn: Connection
) -> None:
    async with remotes.mcp_server() as remote, process(fresh_database):
        register(conn, remotes=[listed(remote)], keepalive=1)
        await becomes(conn, PROBES, lambda count: count >= 2)
    rows = conn.execute("select status, detail, latency_ms > 0 from data.health_report").fetchall()
    assert set(rows) == {("up", "MCP 2026-07-28, 2 tools", True)}


async def test_the_tools_that_a_server_lists_are_kept_and_compared(
    fresh_database: str, conn: Connection
) -> None:
    async with remotes.mcp_server() as remote, process(fresh_database):
        register(conn, remotes=[listed(remote)], keepalive=1, tools=[{"name": "add"}])
        await becomes(conn, PROBES, lambda count: count >= 3)
    details = ask(conn, "select array_agg(distinct detail) from data.health_report")
    assert details == [
        "MCP 2026-07-28, 2 tools; other tools than registered: added search",
    ]


async def test_servers_of_one_name_in_two_namespaces_are_probed_each(
    fresh_database: str, conn: Connection
) -> None:
    page = remotes.answering("503 Service Unavailable")
    async with remotes.mcp_server() as remote, page as broken, process(fresh_database):
        for namespace, asked in (("", remote), ("acme", broken)):
            with within(conn, namespace):
                register(conn, remotes=[listed(asked)])
        await becomes(conn, PROBES, lambda count: count == 2)
    rows = conn.execute(
        "select namespace, health_report.status from data.health_report"
        " inner join data.every_server using (server_id) order by 1"
    ).fetchall()
    assert rows == [("", "up"), ("acme", "down")]


async def test_a_server_with_one_remote_down_is_degraded(
    fresh_database: str, conn: Connection
) -> None:
    page = remotes.answering("503 Service Unavailable")
    async with remotes.mcp_server() as remote, page as broken, process(fresh_database):
        register(conn, remotes=[listed(remote), {**listed(broken), "url": broken.url + "?key=1"}])
        await becomes(conn, PROBES, lambda count: count == 1)
    assert conn.execute("select status, detail from data.health_report").fetchone() == (
        "degraded",
        f"1 of 2 remotes up; {broken.url}: answers 503 Service Unavailable to server/discover and"
        " initialize",
    )


async def test_a_server_at_an_address_that_is_not_allowed_is_not_reported(
    fresh_database: str, conn: Connection
) -> None:
    async with process(fresh_database):
        register(conn, remotes=[{"type": "sse", "url": "http://[::1]:9/sse"}])
        detail = await becomes(conn, "select max(detail) from data.probe", bool)
    assert (
        detail == "not asked: the host has the address ::1, which is not public"
        " and not in SUPERVISOR_PROBE_ALLOWED"
    )
    assert ask(conn, PROBES) == 0


async def test_of_two_processes_one_probes_and_the_other_one_takes_over(
    fresh_database: str, conn: Connection
) -> None:
    heads: list[str] = []
    async with remotes.answering("401 X", heads=heads) as remote, AsyncExitStack() as first:
        await first.enter_async_context(process(fresh_database))
        holder = await becomes(conn, HOLDER, bool)
        async with process(fresh_database):
            for number in range(30):
                register(conn, f"acme/server-{number}", remotes=[listed(remote)], keepalive=86_400)
            await becomes(conn, PROBES, lambda count: count == 30)
            assert ask(conn, HOLDER) == holder
            assert len(heads) == 30
            await first.aclose()
            # Released, it does not have to expire.
            await becomes(conn, HOLDER, lambda other: other not in {None, holder}, seconds=12)
            register(conn, "acme/later", remotes=[listed(remote)])
            await becomes(conn, PROBES, lambda count: count == 31)
    assert ask(conn, HOLDER) is None


async def test_probing_goes_on_when_the_database_is_back_and_the_log_has_two_lines(
    fresh_database: str, conn: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="supervisor_mcp")
    there = conninfo_to_dict(fresh_database)
    async with (
        proxy.start(str(there["host"]), int(there["port"])) as between,  # type: ignore[arg-type]
        remotes.answering("401 X") as remote,
        process(make_conninfo(fresh_database, host="127.0.0.1", port=between.port), pool_size=2),
    ):
        register(conn, remotes=[listed(remote)], keepalive=1)
        await becomes(conn, PROBES, lambda count: count >= 1)
        between.refusing = True
        between.drop()
        await log_has(caplog, "prober does not run")
        count = ask(conn, PROBES)
        between.refusing = False
        await becomes(conn, PROBES, lambda more: more > count + 1, seconds=60)
        await log_has(caplog, "prober runs again")
    messages = [record.getMessage() for record in caplog.records]
    assert len([m for m in messages if m.startswith("prober does not run")]) == 1
    assert not [m for m in messages if m.startswith("database unavailable")]


async def log_has(caplog: pytest.LogCaptureFixture, beginning: str) -> None:
    async def logged() -> bool:
        return any(record.getMessage().startswith(beginning) for record in caplog.records)

    await eventually_async(logged, f'the line "{beginning}"', seconds=60)


async def test_a_process_ends_at_once_while_probes_are_under_way(
    fresh_database: str, conn: Connection
) -> None:
    heads: list[str] = []

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append((await remotes.read_request(reader))[0])
        await reader.read()

    async def asked() -> bool:
        return bool(heads)

    loop = asyncio.get_running_loop()
    async with remotes.listening(silent) as port:
        async with process(fresh_database, probe_timeout_seconds=60):
            register(conn, remotes=[{"type": "sse", "url": f"http://127.0.0.1:{port}/sse"}])
            await eventually_async(asked, "the probe", seconds=30)
            began = loop.time()
        assert loop.time() - began < 5
    assert ask(conn, HOLDER) is None
    assert ask(conn, PROBES) == 0


async def test_without_the_setting_nothing_is_probed(fresh_database: str, conn: Connection) -> None:
    async with process(fresh_database, probe=False):
        await becomes(conn, "select count(*) from data.service_uptime", bool)
    assert ask(conn, "select count(*) from data.lease") == 0


async def test_the_uptime_of_the_service_is_recorded(fresh_database: str, conn: Connection) -> None:
    began = datetime.now(UTC)
    async with process(fresh_database):
        await becomes(conn, "select count(*) from data.service_uptime", bool)
    assert ask(conn, "select min(lower(during)) from data.service_uptime") >= began
