"""A Valkey that the tests of the cache share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from tests.support import running


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    with running.valkey() as url:
        yield url


@pytest.fixture
def redis_url(valkey_url: str) -> str:
    """URL of an empty Valkey."""
    with redis.Redis.from_url(valkey_url) as client:
        client.flushall()
    return valkey_url


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_url) as connected:
        yield connected
