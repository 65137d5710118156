"""Reads, divided between a primary and its standby.

The standby answers about a kind, unless it lacks a change of the kind: whatever was acknowledged
before a request came is in its answer. The primary answers everything else. While the primary is
away, the standby answers all reads, except where it lacks what this process knows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from supervisor_mcp import identity
from supervisor_mcp.cache.changes import Changes
from supervisor_mcp.cache.store import Computed
from supervisor_mcp.db import Database
from supervisor_mcp.errors import Problem, unavailable
from supervisor_mcp.operations.changes import ChangeReader
from supervisor_mcp.operations.replication import Replication
from supervisor_mcp.telemetry import counts

# How long the answer of a standby waits to hear from the primary what it should contain.
CHANGES_SECONDS = 1.0

Read = Callable[[Database], Awaitable[Computed]]


class Reads:
    """Reads of this process; without a standby, the database answers all of them."""

    def __init__(
        self,
        database: Database,
        changes: Changes,
        reader: ChangeReader,
        replication: Replication | None,
    ) -> None:
        self._database = database
        self._changes = changes
        self._reader = reader
        self._replication = replication

    async def read_json(self, function: str, arguments: Mapping[str, object]) -> bytes:
        """The JSON that a function of `api` returns. Raises `Problem`."""
        if self._replication is None:
            return await self._database.read_json(function, arguments)

        async def read(database: Database) -> Computed:
            return Computed(await database.read_json(function, arguments), None)

        return (await self._ask_primary(self._replication, read, None)).answer

    async def read_kind(
        self, function: str, arguments: Mapping[str, object], kind: str
    ) -> Computed:
        """The JSON that a function of `api` returns about a kind, or about every kind for `*`.

        The answer depends on nothing but what is stored of the kind. Raises `Problem`.
        """

        async def read(database: Database) -> Computed:
            return Computed(*await database.read_visible_json(function, arguments))

        if self._replication is None:
            return await read(self._database)
        if self._replication.reads_from_standby and not self._replication.primary.is_away:
            computed = await self._ask_standby(self._replication, read, kind)
            if computed is not None:
                counts.count_read("standby")
                return computed
        return await self._ask_primary(self._replication, read, kind)

    async def read_kind_json(
        self, function: str, arguments: Mapping[str, object], kind: str
    ) -> bytes:
        """The answer that `read_kind` computes. Raises `Problem`."""
        if self._replication is None:
            return await self._database.read_json(function, arguments)
        return (await self.read_kind(function, arguments, kind)).answer

    async def _ask_standby(
        self, replication: Replication, read: Read, kind: str
    ) -> Computed | None:
        """What the standby answers; None where the primary has to be asked."""
        catching_up = asyncio.create_task(self._catch_up())
        try:
            computed = await replication.standby.answer(read)
        except Problem:
            # It may be that the standby lacks what is asked for.
            return None
        return computed if await catching_up and self._has_seen_all(kind, computed) else None

    async def _catch_up(self) -> bool:
        """Whether every change is known that was committed before this call."""
        try:
            async with asyncio.timeout(CHANGES_SECONDS):
                await self._reader.catch_up()
        except (Problem, TimeoutError):
            return False
        return True

    async def _ask_primary(
        self, replication: Replication, read: Read, kind: str | None
    ) -> Computed:
        """What the primary answers, or the standby while the primary is away."""
        primary = replication.primary
        if not primary.is_away:
            try:
                return await _counted("primary", primary.answer(read))
            except Problem as problem:
                if problem.slug != "unavailable" or not await primary.is_lost():
                    raise
        if replication.reads_from_standby:
            computed = await self._ask_standby_alone(replication, read, kind)
            if computed is not None:
                return computed
        if await primary.locate() is None:
            raise _behind() if replication.reads_from_standby else unavailable()
        return await _counted("primary", primary.answer(read))

    async def _ask_standby_alone(
        self, replication: Replication, read: Read, kind: str | None
    ) -> Computed | None:
        """What the standby answers; None where it lacks what this process knows."""
        try:
            computed = await _counted("standby", replication.standby.answer(read))
        except Problem:
            # It may not know the kind yet.
            sees = await replication.standby.answer(_read_visibility)
            if self._lacks(kind, sees):
                return None
            raise
        # What other processes have committed since is not known: nobody keeps this answer.
        return None if self._lacks(kind, computed) else Computed(computed.answer, None)

    def _lacks(self, kind: str | None, computed: Computed) -> bool:
        # Before the first reading, nothing is known.
        if kind is None or self._changes.since is None:
            return False
        return not self._has_seen_all(kind, computed)

    def _has_seen_all(self, kind: str, computed: Computed) -> bool:
        return computed.visibility is not None and self._changes.has_seen_all(
            kind, computed.visibility.encode(), namespace=identity.current.get().namespace
        )


async def _counted(server: str, call: Awaitable[Computed]) -> Computed:
    computed = await call
    counts.count_read(server)
    return computed


async def _read_visibility(database: Database) -> Computed:
    (visibility,) = await database.read("select api.get_visibility()::text", {})
    return Computed(b"", visibility)


def _behind() -> Problem:
    """The problem of an answer that would lack what was acknowledged."""
    return Problem(
        "unavailable",
        "the primary database does not answer, and its standby lacks what was stored last",
        hint="Send the request again after the seconds in Retry-After.",
    )
