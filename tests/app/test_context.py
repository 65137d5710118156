"""What a process is made of, by its settings."""

from __future__ import annotations

from typing import Any

import pytest

from supervisor_mcp.config import Settings
from supervisor_mcp.operations import context as operations
from supervisor_mcp.operations.context import Context
from tests.support.ports import free_port

SECRET = "0123456789abcdef0123456789abcdef"


def built(**more: Any) -> Context:
    url = f"postgresql://postgres@127.0.0.1:{free_port()}/postgres"
    return operations.build(Settings(database_url=url, pool_size=1, **more))


def nowhere() -> str:
    return f"redis://127.0.0.1:{free_port()}/0"


def test_without_a_database_there_is_no_process() -> None:
    with pytest.raises(ValueError, match="SUPERVISOR_DATABASE_URL is not set"):
        operations.build(Settings())


async def test_the_settings_say_what_a_process_has() -> None:
    least = built()
    assert (least.replication, least.key_secret, least.cache.is_off) == (None, None, True)
    assert (least.query_sql, least.streams.limit) == (True, 200)
    most = built(
        read_database_url="postgresql://127.0.0.1:1/postgres",
        read_lag_seconds=7,
        redis_url=nowhere(),
        key_secret=SECRET,
        query_sql=False,
        streams=3,
    )
    assert most.replication is not None
    assert most.replication._most_lag_seconds == 7
    assert (most.key_secret, most.cache.is_off) == (SECRET.encode(), False)
    assert (most.query_sql, most.streams.limit) == (False, 3)


async def test_the_secret_of_keys_is_not_shown() -> None:
    assert SECRET not in repr(built(key_secret=SECRET))


@pytest.mark.parametrize(
    ("more", "reads"),
    [
        ({}, False),
        ({"redis_url": nowhere()}, True),
        ({"read_database_url": "postgresql://127.0.0.1:1/postgres"}, True),
    ],
    ids=["alone", "cache", "standby"],
)
async def test_changes_are_read_where_an_answer_may_come_from_elsewhere(
    more: dict[str, Any], *, reads: bool
) -> None:
    async with operations.connected(built(**more)) as context:
        assert (context.changes._task is not None) is reads
        if context.replication is not None:
            assert len(context.replication._following) == 2
    assert context.changes._task is None or context.changes._task.done()
    if context.replication is not None:
        assert all(task.done() for task in context.replication._following)
