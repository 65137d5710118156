"""The prober: asks the remotes of registered servers that are due, in one process of all."""

from __future__ import annotations

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

import msgspec
from msgspec import Struct

from supervisor_mcp import identity
from supervisor_mcp.background.conversation import Remote, Tools
from supervisor_mcp.background.lease import Lease
from supervisor_mcp.background.probe import Outcome, Prober
from supervisor_mcp.background.results import Result, combine
from supervisor_mcp.background.turns import Turns
from supervisor_mcp.json_text import Json
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

    namespace: str
    server: str
    remotes: list[Remote]

    @property
    def key(self) -> str:
        """Its name in all namespaces, as list_probe_targets takes it."""
        return f"{self.namespace}@{self.server}" if self.namespace else self.server


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
        # By the key of the target.
        self._under_way: dict[str, tuple[Target, asyncio.Task[Result]]] = {}
        # Digests of the lists of tools that were recorded, by that key.
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
            task = asyncio.create_task(self._ask(target, delay))
            self._under_way[target.key] = target, task

    async def stop(self) -> None:
        """End the probes under way, and let another process take over."""
        tasks = [task for _, task in self._under_way.values()]
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
        for _, task in self._under_way.values():
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
        ended: defaultdict[str, dict[str, Result]] = defaultdict(dict)
        for key, (target, task) in list(self._under_way.items()):
            if task.done():
                del self._under_way[key]
                ended[target.namespace][key] = task.result()
        for namespace, results in ended.items():
            with identity.acting_as(identity.serving(namespace)):
                await self._record_results(namespace, results)

    async def _record_results(self, namespace: str, results: Mapping[str, Result]) -> None:
        digests: dict[str, bytes] = {}
        for key, result in results.items():
            if result.tools is not None:
                digests[key] = _digest(result.tools)
                if digests[key] == self._recorded.get(key):
                    result.tools = None
        _, kinds, change = await self._database.call_in_background(
            "record_probes",
            {"probes": Json(msgspec.json.encode(list(results.values()))), "now": self._clock()},
            read_only=False,
        )
        self._recorded |= digests
        if kinds:
            await self._cache.invalidate(kinds, change, namespace=namespace)


def _digest(tools: Tools) -> bytes:
    return hashlib.blake2b(msgspec.json.encode(tools, order="sorted"), digest_size=16).digest()
