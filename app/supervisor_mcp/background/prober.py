"""The prober: asks the remotes of registered servers that are due, in one process of all."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import datetime

import msgspec
from msgspec import Struct

from supervisor_mcp.background.conversation import Remote, Tools
from supervisor_mcp.background.lease import Lease
from supervisor_mcp.background.probe import Outcome, Prober
from supervisor_mcp.background.results import Result, combine
from supervisor_mcp.background.turns import Turns
from supervisor_mcp.db import Json
from supervisor_mcp.operations.clock import Clock
from supervisor_mcp.operations.context import Context

# Between two looks for servers that are due.
STEP_SECONDS = 1.0
# Of a number of probes at once: servers that wait for a turn at most, and probes that begin in a
# step. They begin one after the other, so that requests come in between.
WAITING = 8
BEGINNING = 2


class Target(Struct):
    """A server whose probe is due."""

    server: str
    remotes: list[Remote]


class Probes:
    """One step takes what the lease allows: it records what has been found, and asks who is due."""

    def __init__(self, context: Context, prober: Prober, clock: Clock, *, concurrency: int) -> None:
        self._database = context.database
        self._cache = context.cache
        self._prober = prober
        self._clock = clock
        self._turns = Turns(concurrency)
        self._waiting = WAITING * concurrency
        self._beginning = BEGINNING * concurrency
        self._lease = Lease(context.database, "prober")
        self._under_way: dict[str, asyncio.Task[Result]] = {}
        # Digests of the lists of tools that were recorded.
        self._recorded: dict[str, bytes] = {}

    async def step(self) -> None:
        """Do what is due now. Raises `Problem`."""
        if not await self._keep_lease():
            self._drop()
            return
        await self._record()
        room = min(self._waiting - len(self._under_way), self._beginning)
        if room <= 0:
            return
        (targets,) = await self._database.call_in_background(
            "list_probe_targets",
            {"limit": room, "except": list(self._under_way), "now": self._clock()},
            read_only=True,
        )
        due = msgspec.json.decode(targets, type=list[Target])
        for place, target in enumerate(due):
            delay = place / len(due) * STEP_SECONDS
            self._under_way[target.server] = asyncio.create_task(self._ask(target, delay))

    async def stop(self) -> None:
        """End the probes under way, and let another process take over."""
        tasks = list(self._under_way.values())
        self._drop()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._lease.release()

    async def _keep_lease(self) -> bool:
        try:
            return await self._lease.keep()
        except Exception:
            if not self._lease.is_held:
                self._drop()
            raise

    def _drop(self) -> None:
        for task in self._under_way.values():
            task.cancel()
        self._under_way.clear()
        # Another process may record other lists now.
        self._recorded.clear()

    async def _ask(self, target: Target, delay: float) -> Result:
        await asyncio.sleep(delay)
        began: list[datetime] = []

        async def ask(remote: Remote) -> tuple[Remote, Outcome]:
            async with self._turns.turn(remote.url):
                began.append(self._clock())
                return remote, await self._prober.ask(remote)

        found = await asyncio.gather(*map(ask, target.remotes))
        return combine(target.server, began[0], found)

    async def _record(self) -> None:
        """Store what the probes that have ended found.

        What cannot be stored is lost, and its servers are due again: nothing is stored twice.
        """
        ended = {name: task for name, task in self._under_way.items() if task.done()}
        if not ended:
            return
        for name in ended:
            del self._under_way[name]
        results = [task.result() for task in ended.values()]
        digests: dict[str, bytes] = {}
        for result in results:
            if result.tools is not None:
                digests[result.server] = _digest(result.tools)
                if digests[result.server] == self._recorded.get(result.server):
                    result.tools = None
        _, kinds, change = await self._database.call_in_background(
            "record_probes",
            {"probes": Json(msgspec.json.encode(results)), "now": self._clock()},
            read_only=False,
        )
        self._recorded |= digests
        if kinds:
            await self._cache.invalidate(kinds, change)


def _digest(tools: Tools) -> bytes:
    return hashlib.blake2b(msgspec.json.encode(tools, order="sorted"), digest_size=16).digest()
