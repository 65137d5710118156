"""Answers that wait to be stored."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from supervisor_mcp import db, identity
from supervisor_mcp.db import Database
from supervisor_mcp.identity import Identity
from supervisor_mcp.operations import snapshots
from supervisor_mcp.operations.snapshots import SnapshotWriter
from tests.support.ports import free_port


@pytest.fixture
async def nowhere(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    """A database that does not exist, and is not waited for."""
    monkeypatch.setattr(db, "POOL_SECONDS", 0.05)
    url = f"postgresql://postgres@127.0.0.1:{free_port()}/postgres"
    database = Database(url, pool_size=1, statement_timeout_seconds=1)
    await database.open()
    yield database
    await database.close()


async def test_64_questions_wait_and_the_newest_answer_to_each(nowhere: Database) -> None:
    writer = SnapshotWriter(nowhere)
    for number in range(63):
        writer.offer(f"kind{number}", "7d", b"1")
    writer.offer(None, "7d", b"1")
    writer.offer("kind64", "7d", b"1")
    writer.offer("kind0", "24h", b"1")
    writer.offer("kind0", "7d", b"2")
    identity.current.set(Identity("a", frozenset({"read"}), namespace="acme"))
    writer.offer("kind0", "7d", b"3")
    kinds: list[str | None] = [f"kind{number}" for number in range(63)]
    assert list(writer._waiting) == [("", kind, "7d") for kind in [*kinds, None]]
    assert writer._waiting.pop(("", "kind0", "7d")) == b"2"
    assert set(writer._waiting.values()) == {b"1"}
    await writer.stop()


async def test_answers_are_written_one_after_the_other_with_a_pause(
    nowhere: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "PAUSE_SECONDS", 0)
    writer = SnapshotWriter(nowhere)
    await writer.stop()
    writer.offer("a", "7d", b"1")
    task = writer._task
    writer.offer("b", "7d", b"1")
    assert task is not None
    assert writer._task is task
    await asyncio.sleep(0)
    # While it writes, others wait for their turn.
    writer.offer("c", "7d", b"1")
    assert (list(writer._waiting), writer._task) == ([("", "c", "7d")], task)
    await task
    assert writer._waiting == {}
    writer.offer("d", "7d", b"1")
    assert writer._task is not task
    await writer.stop()
    assert writer._task is not None
    assert writer._task.done()


async def test_a_server_that_is_read_only_is_left_alone_for_a_minute(nowhere: Database) -> None:
    writer = SnapshotWriter(nowhere)
    now = asyncio.get_running_loop().time()
    writer._resume_at = now + 60
    writer.offer("a", "7d", b"1")
    assert (writer._waiting, writer._task) == ({}, None)
    writer._resume_at = now
    writer.offer("a", "7d", b"1")
    assert len(writer._waiting) == 1
    await writer.stop()
