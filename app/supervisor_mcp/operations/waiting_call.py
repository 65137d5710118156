"""A call that waits until a statement that it shares with others is committed."""

from __future__ import annotations

import asyncio

from supervisor_mcp import identity
from supervisor_mcp.errors import Problem


class WaitingCall:
    """Who calls, and the answer, which nobody may wait for any more."""

    def __init__(self) -> None:
        self.caller = identity.current.get()
        self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def succeed(self, answer: bytes) -> None:
        """Answer with JSON."""
        if not self.answer.done():
            self.answer.set_result(answer)

    def fail(self, error: Exception) -> None:
        """Raise an error where the answer is waited for."""
        if not self.answer.done():
            # Each call gets a problem of its own: what is raised gets the frames of who raises it,
            # and those have the call.
            self.answer.set_exception(error.again() if isinstance(error, Problem) else error)
