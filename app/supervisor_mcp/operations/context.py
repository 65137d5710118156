"""The database and the cache that operations use."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from supervisor_mcp.cache.aggregates import Cache
from supervisor_mcp.config import Settings
from supervisor_mcp.db import Database


@dataclass(frozen=True, slots=True)
class Context:
    """The database and the cache of this process."""

    database: Database
    cache: Cache


def build(settings: Settings) -> Context:
    """The context that the settings describe, not yet connected.

    Raises ValueError without a database: nothing here starts the embedded one.
    """
    if settings.database_url is None:
        raise ValueError(
            "SUPERVISOR_DATABASE_URL is not set; start the service with `supervisor-mcp up`"
        )
    return Context(
        Database(
            settings.database_url,
            pool_size=settings.pool_size,
            statement_timeout_seconds=settings.statement_timeout_seconds,
        ),
        Cache(settings.redis_url, ttl_seconds=settings.cache_ttl_seconds),
    )


@asynccontextmanager
async def connected(context: Context) -> AsyncIterator[Context]:
    """Connect, and disconnect at the end; neither server has to be there yet."""
    await context.database.open()
    try:
        yield context
    finally:
        await context.cache.close()
        await context.database.close()
