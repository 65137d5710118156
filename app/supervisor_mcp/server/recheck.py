"""Bodies that take a while: who sends one is verified again before the application has it."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from supervisor_mcp.authentication.authenticator import KEY_SECONDS, Authenticator
from supervisor_mcp.errors import Problem

DISCONNECTED: Final[Message] = {"type": "http.disconnect"}


class Recheck:
    """A request with a body; for the application, a refused sender has left."""

    def __init__(
        self, authenticator: Authenticator, sent: bytes, receive: Receive, send: Send
    ) -> None:
        self._authenticator = authenticator
        self._sent = sent
        self._receive = receive
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._known_until = self._loop.time() + KEY_SECONDS
        self._refusal: Problem | None = None

    async def answered_by(self, application: ASGIApp, scope: Scope) -> None:
        """Have the application answer. Raises `Problem` where the sender was refused meanwhile."""
        try:
            await application(scope, self._next, self._answer)
        except Exception:
            if self._refusal is None:
                raise
        if self._refusal is not None:
            raise self._taken()

    def _taken(self) -> Problem:
        """The refusal, which is kept no longer: it has frames that have this object."""
        refusal, self._refusal = self._refusal, None
        assert refusal is not None  # noqa: S101
        return refusal

    async def _next(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request" and self._loop.time() > self._known_until:
            try:
                await self._authenticator.identify(self._sent)
            except Problem as problem:
                self._refusal = problem
                return DISCONNECTED
        return message

    async def _answer(self, message: Message) -> None:
        # What it answers to somebody who has left is not the answer.
        if self._refusal is None:
            await self._send(message)
