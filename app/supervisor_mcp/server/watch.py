"""Answers that last end when the credentials of their requests end."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Final

from starlette.types import Scope

from supervisor_mcp import identity
from supervisor_mcp.authentication.authenticator import Authenticator
from supervisor_mcp.errors import Problem
from supervisor_mcp.mcp.http import PATH as MCP

# With the time that a key is kept as verified, a stream ends within a second of a revocation.
WATCH_SECONDS: Final = 0.4
UNAUTHORIZED: Final = 401


# What the sender of a request sent, its scope, and the task that answers it where it may be
# cancelled. A named tuple takes as long as the rest of `begin`.
Request = tuple[bytes, Scope, asyncio.Task[object] | None]


class Watch:
    """Looks again at who sent the requests that take longer than a moment.

    Most requests are over before: a timer for each would cost more than the rest of the gate.
    """

    def __init__(self, authenticator: Authenticator) -> None:
        self._authenticator = authenticator
        self._requests: dict[int, Request] = {}
        self._ended: set[int] = set()
        self._task: asyncio.Task[None] | None = None

    def begin(self, sent: bytes, scope: Scope) -> None:
        """Watch the answer to a request."""
        # Only what MCP sends is cancelled.
        task = asyncio.current_task() if scope.get("supervisor.route") == MCP else None
        self._requests[id(scope)] = (sent, scope, task)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), context=identity.of_service())

    def has_ended(self, scope: Scope) -> bool:
        """Whether it was this that cancelled the answer to a request."""
        return id(scope) in self._ended

    def end(self, scope: Scope) -> None:
        """Watch it no more."""
        self._ended.discard(id(scope))
        del self._requests[id(scope)]

    async def _run(self) -> None:
        while self._requests:
            before = set(self._requests)
            await asyncio.sleep(WATCH_SECONDS)
            lasting = defaultdict(list)
            for each in before & self._requests.keys():
                request = self._requests[each]
                lasting[request[0]].append(request)
            for sent, requests in lasting.items():
                if await self._are_refused(sent):
                    # While the sender was verified, the answer may have ended.
                    for request in requests:
                        if self._requests.get(id(request[1])) is request:
                            self._end(request)

    async def _are_refused(self, sent: bytes) -> bool:
        try:
            await self._authenticator.identify(sent)
        except Problem as problem:
            # What is open stays open while the database is away.
            return problem.status == UNAUTHORIZED
        return False

    def _end(self, request: Request) -> None:
        """End a stream, or what MCP sends; any other answer has an end of its own."""
        _, scope, task = request
        stream = scope.get("supervisor.stream")
        if stream is not None:
            stream.leave()
        elif task is not None:
            self._ended.add(id(scope))
            task.cancel()
