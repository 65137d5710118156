"""The loops in the processes that answer requests."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.background import remotes
from tests.background.test_prober import HOLDER, PROBES, becomes
from tests.sql.calls import ask
from tests.support import web_server

pytestmark = pytest.mark.server

SERVERS = 20


async def test_of_all_workers_of_two_nodes_one_asks_what_is_registered_and_the_log_is_quiet(
    fresh_database: str, tmp_path: Path
) -> None:
    heads: list[str] = []
    logs = [tmp_path / "one", tmp_path / "two"]
    nodes = ExitStack()

    def start() -> list[str]:
        settings = {"SUPERVISOR_PROBE": "true", "SUPERVISOR_PROBE_ALLOWED": "127.0.0.0/8"}
        return [
            nodes.enter_context(web_server.start(fresh_database, None, log, settings=settings)).url
            for log in logs
        ]

    def register(url: str, remote: str) -> None:
        document = {
            "version": "1.0.0",
            "description": "Searches",
            "remotes": [{"type": "streamable-http", "url": remote}],
            "keepalive_seconds": 86_400,
        }
        for number in range(SERVERS):
            path = f"{url}/registry/servers/acme/server-{number}"
            httpx.put(path, json=document, timeout=60).raise_for_status()

    async with remotes.answering("401 X", heads=heads) as remote:
        try:
            url, _ = await asyncio.to_thread(start)
            with psycopg.connect(fresh_database, autocommit=True, prepare_threshold=None) as conn:
                await asyncio.to_thread(register, url, remote.url)
                await becomes(conn, PROBES, lambda count: count == SERVERS, seconds=60)
                assert ask(conn, "select count(*) from data.lease where expires_at > now()") == 1
                assert ask(conn, "select count(*) from data.service_uptime") >= 1
                await asyncio.to_thread(nodes.close)
                assert ask(conn, HOLDER) is None
        finally:
            await asyncio.to_thread(nodes.close)
    assert len(heads) == SERVERS
    lines = "".join(log.read_text() for log in logs)
    assert "HTTP Request" not in lines
    assert '"level":"error"' not in lines
