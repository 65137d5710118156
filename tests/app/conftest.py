"""The Valkey database that a test of the cache uses, and databases that answer or not."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import redis

from supervisor_mcp.db import Database
from tests.support.ports import free_port
from tests.support.valkey import Valkey


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_url) as connected:
        yield connected


@pytest.fixture(params=["port", "socket"])
def cache_url(request: pytest.FixtureRequest, valkey_server: Valkey) -> str:
    """URL of the same database by a port and by a socket, where a process keeps copies."""
    return valkey_server.empty() if request.param == "port" else valkey_server.empty_by_socket()


@pytest.fixture
async def nowhere() -> AsyncIterator[Database]:
    """A database that does not exist."""
    url = f"postgresql://postgres@127.0.0.1:{free_port()}/postgres"
    database = Database(url, pool_size=1, statement_timeout_seconds=1)
    yield database
    await database.close()


@pytest.fixture
async def present(database_url: str) -> AsyncIterator[Database]:
    """A database that answers."""
    database = Database(database_url, pool_size=1, statement_timeout_seconds=10)
    await database.open()
    yield database
    await database.close()
