"""The database and the cache that operations use."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from supervisor_mcp.cache.aggregates import Cache
from supervisor_mcp.cache.connection import Connection
from supervisor_mcp.config import Settings
from supervisor_mcp.credentials import key_secret
from supervisor_mcp.db import Database
from supervisor_mcp.operations.changes import ChangeReader
from supervisor_mcp.operations.heartbeat_writer import HeartbeatWriter
from supervisor_mcp.operations.item_writer import ItemWriter
from supervisor_mcp.operations.reads import Reads
from supervisor_mcp.operations.replication import Replication
from supervisor_mcp.operations.snapshots import SnapshotWriter
from supervisor_mcp.operations.streams import Streams


@dataclass(frozen=True, slots=True)
class Context:
    """The database and the cache of this process, and what runs beside its requests."""

    database: Database
    reads: Reads
    # None without a standby.
    replication: Replication | None
    cache: Cache
    changes: ChangeReader
    snapshots: SnapshotWriter
    heartbeats: HeartbeatWriter
    # By the function of `api` that stores them.
    items: Mapping[str, ItemWriter]
    streams: Streams
    key_secret: bytes | None = field(repr=False)
    query_sql: bool


def build(settings: Settings) -> Context:
    """The context that the settings describe, not yet connected.

    Raises ValueError without a database: nothing here starts the embedded one. Also for a file with
    the secret of keys that cannot be read.
    """
    if settings.database_url is None:
        raise ValueError(
            "SUPERVISOR_DATABASE_URL is not set; start the service with `supervisor-mcp up`"
        )
    database = _database(settings.database_url, settings)
    redis = Connection(settings.redis_url) if settings.redis_url else None
    cache = Cache(redis, ttl_seconds=settings.cache_ttl_seconds)
    changes = ChangeReader(database, cache.changes)
    replication = _replication(settings, database)
    return Context(
        database,
        Reads(database, cache.changes, changes, replication),
        replication,
        cache,
        changes,
        SnapshotWriter(database),
        HeartbeatWriter(database),
        {function: ItemWriter() for function in ("ingest_metrics", "ingest_facts")},
        Streams(
            database,
            limit=settings.streams,
            limit_per_identity=settings.streams_per_identity,
        ),
        key_secret.read(settings.key_secret, settings.key_secret_file),
        query_sql=settings.query_sql,
    )


def _replication(settings: Settings, primary: Database) -> Replication | None:
    if settings.read_database_url is None:
        return None
    standby = _database(settings.read_database_url, settings)
    return Replication(primary, standby, most_lag_seconds=settings.read_lag_seconds)


def _database(url: str, settings: Settings) -> Database:
    return Database(
        url,
        pool_size=settings.pool_size,
        statement_timeout_seconds=settings.statement_timeout_seconds,
        query_seconds=settings.query_sql_seconds,
    )


@asynccontextmanager
async def connected(context: Context) -> AsyncIterator[Context]:
    """Connect, and disconnect at the end; neither server has to be there yet."""
    await context.database.open()
    await context.cache.open()
    if context.replication is not None:
        await context.replication.start()
    if context.replication is not None or not context.cache.is_off:
        context.changes.start()
    try:
        yield context
    finally:
        await context.streams.stop()
        await context.heartbeats.stop()
        for writer in context.items.values():
            await writer.stop()
        await context.changes.stop()
        await context.snapshots.stop()
        context.cache.close()
        if context.replication is not None:
            await context.replication.stop()
        await context.database.close()
