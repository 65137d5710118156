"""The Valkey database that a test of the cache uses."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from tests.support.valkey import Valkey


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_url) as connected:
        yield connected


@pytest.fixture(params=["port", "socket"])
def cache_url(request: pytest.FixtureRequest, valkey_server: Valkey) -> str:
    """URL of the same database by a port and by a socket, where a process keeps copies."""
    return valkey_server.empty() if request.param == "port" else valkey_server.empty_by_socket()
