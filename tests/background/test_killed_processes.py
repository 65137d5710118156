"""Web processes are killed while they send: every fact arrives, repeated under the same id only."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import psycopg
import pytest
from psycopg import Connection

from supervisor_mcp.server.launch import WebServer
from tests.background.receivers import Receiver, receiver
from tests.background.test_deliveries import subscribe
from tests.sql.calls import ask
from tests.support import web_server
from tests.support.processes import descendants
from tests.support.waiting import eventually_async

pytestmark = pytest.mark.server

ROUNDS = 6
FACTS = 40
# Beside those of the rounds.
KILLS = 10
# As though the time of the claims of killed processes had passed.
PASS_CLAIMS = "update data.delivery set claimed_until = null where claimed_until is not null"
ALL_SENT = """
select
    not exists (select from data.outbox)
    and not exists (select from data.delivery where delivered_at is null)
"""
SETTINGS = {"SUPERVISOR_DELIVERY": "true", "SUPERVISOR_DELIVERY_ALLOWED": "127.0.0.0/8"}


@pytest.fixture
def conn(fresh_database: str) -> Iterator[Connection]:
    with psycopg.connect(fresh_database, autocommit=True, prepare_threshold=None) as connected:
        yield connected


def kill_workers(server: WebServer) -> None:
    """SIGKILL; gunicorn starts others."""
    for pid, _ in descendants(server.pid):
        if pid != server.pid:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@asynccontextmanager
async def serving(database_url: str, log: Path) -> AsyncIterator[WebServer]:
    """Run a web server that sends."""
    running = web_server.start(database_url, None, log, settings=SETTINGS)
    started = await asyncio.to_thread(running.__enter__)
    try:
        yield started
    finally:
        await asyncio.to_thread(running.__exit__, None, None, None)


async def store(server: WebServer, names: list[str]) -> None:
    """Send facts one by one, each until it is acknowledged."""
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as http:
        for name in names:
            item = {"kind": "Fact:Deal", "source": "crm", "fact_id": name}
            while True:
                with suppress(httpx.TransportError):
                    if (await http.post("/ingest/facts", json=item)).is_success:
                        break


async def test_every_fact_arrives_under_one_id_although_processes_are_killed_at_any_point(
    fresh_database: str, conn: Connection, tmp_path: Path
) -> None:
    chance = random.Random(7)
    names = [f"{turn}-{number}" for turn in range(ROUNDS) for number in range(FACTS)]
    killed = 0

    async with serving(fresh_database, tmp_path / "log") as server:

        def answer(there: Receiver) -> str:
            nonlocal killed
            # Between the receipt and its record; of few large requests, at least the first one.
            if len(there.requests) % 4 == 1 and killed < KILLS:
                killed += 1
                kill_workers(server)
            return "200 OK"

        async def everything_is_sent() -> bool:
            conn.execute(PASS_CLAIMS)
            return bool(await asyncio.to_thread(ask, conn, ALL_SENT))

        async with receiver(answer) as there:
            subscribe(conn, there.url, facts={})
            for turn in range(ROUNDS):
                mine = names[turn * FACTS : (turn + 1) * FACTS]
                storing = asyncio.create_task(store(server, mine))
                await asyncio.wait({storing}, timeout=chance.uniform(0.05, 1.5))
                kill_workers(server)
                await storing
            await eventually_async(everything_is_sent, "what is left to send", seconds=60)
    assert set(there.facts) == set(names)
    bodies: dict[str, set[bytes]] = defaultdict(set)
    ids: dict[str, set[str]] = defaultdict(set)
    for request in there.requests:
        bodies[request.id].add(request.body)
        for each in request.payload["facts"]:
            ids[each["fact_id"]].add(request.id)
    assert {len(each) for each in bodies.values()} == {1}
    assert {len(each) for each in ids.values()} == {1}
    assert killed > 0
