"""The servers that supervisor-mcp mcp works on."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from supervisor_mcp.cli import mcp
from supervisor_mcp.cli.failure import Failure
from supervisor_mcp.config import Settings
from supervisor_mcp.embedded import Endpoints, database, locking

FOUND = Endpoints("postgresql://postgres@127.0.0.1:5432/postgres", "unix:///run/valkey.sock")


def test_embedded_servers_have_what_the_settings_do_not_say(tmp_path: Path) -> None:
    used = mcp.on_embedded(Settings(data_dir=tmp_path), FOUND)
    assert (used.database_url, used.redis_url) == (FOUND.database_url, FOUND.redis_url)
    assert (used.key_secret_file, used.query_sql_seconds) == (tmp_path / "key_secret", 2)
    assert used.data_dir == tmp_path


def test_a_cache_of_the_settings_is_used_beside_the_embedded_database(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, redis_url="redis://cache.example")
    assert mcp.on_embedded(settings, FOUND).redis_url == "redis://cache.example"


def test_a_process_that_is_starting_on_the_data_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locking, "NOTICE_SECONDS", 0)
    monkeypatch.setattr(mcp, "START_SECONDS", 0.25)
    lock = locking.acquire(tmp_path / database.LOCK)
    assert lock is not None
    began = time.monotonic()
    with (
        ExitStack() as started,
        pytest.raises(Failure, match="Another embedded database runs on"),
    ):
        mcp.join_or_start(Settings(data_dir=tmp_path), 0, started)
    os.close(lock)
    assert time.monotonic() - began > 0.25
