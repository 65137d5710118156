"""The body of one request on its way to the application that reads it."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from supervisor_mcp.errors import Problem
from supervisor_mcp.rest.budget import BODIES
from supervisor_mcp.server import refusals


class Body:
    """Notes that the client left within its body, and refuses a body that memory has no room for.

    The scope says `supervisor.cut_short` then: Falcon takes a lost connection for the end of the
    body. The refusal is answered here, because neither Falcon nor MCP expects one while it reads;
    what the application sends afterwards is dropped.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._whole = False
        self._started = False
        self._refused = False

    async def answered_by(self, application: ASGIApp) -> None:
        """Let the application read and answer; the memory is free again at the end."""
        try:
            await application(self._scope, self.receive, self.send)
        finally:
            BODIES.give_back(self._scope)

    async def receive(self) -> Message:
        """The next message of the client."""
        if self._refused:
            return {"type": "http.disconnect"}
        message = await self._receive()
        if message["type"] == "http.request":
            self._whole = not message.get("more_body", False)
            try:
                BODIES.take(self._scope, len(message.get("body", b"")))
            except Problem as problem:
                return await self._refuse(problem)
        elif not self._whole:
            self._scope["supervisor.cut_short"] = True
        return message

    async def send(self, message: Message) -> None:
        """Pass on a message of the application."""
        self._started = True
        if not self._refused:
            await self._send(message)

    async def _refuse(self, problem: Problem) -> Message:
        self._scope["supervisor.cut_short"] = True
        if not self._started:
            self._refused = True
            await refusals.answer(problem, self._scope["supervisor.request_id"], self._send)
        return {"type": "http.disconnect"}
