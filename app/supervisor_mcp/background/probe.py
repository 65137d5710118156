"""Asking one remote, and what its answers mean."""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal

import anyio
import httpx2
from mcp import MCPError
from mcp_types import INTERNAL_ERROR, METHOD_NOT_FOUND

from supervisor_mcp.background.addresses import Allowed
from supervisor_mcp.background.conversation import Conversation, Remote, Tools
from supervisor_mcp.background.reasons import NotAllowed, TooLarge
from supervisor_mcp.background.wire import (
    Answer,
    Limits,
    Resolver,
    SystemResolver,
    Wire,
    fault_of,
)

Status = Literal["up", "degraded", "down"]

CONNECT_SECONDS = 5.0
RECEIVED_BYTES = 1024 * 1024
# What shows that a server answers, whatever a client would ask next.
REACHABLE = {
    HTTPStatus.UNAUTHORIZED: "asks for authorization",
    HTTPStatus.FORBIDDEN: "asks for authorization",
    HTTPStatus.TOO_MANY_REQUESTS: "limits the number of requests",
}
MCP_TYPES = ("application/json", "text/event-stream")
# The errors that the client library puts in place of an answer that is not MCP.
PLACEHOLDERS = {
    (METHOD_NOT_FOUND, "Not Found"),
    (INTERNAL_ERROR, "Server returned an error response"),
}
UNREADABLE = ("Failed to parse", "Unexpected content type", "server answered a request with 202")
CUT_SHORT = ("SSE stream", "Connection closed")
MEDIA_TYPE = re.compile(r"[\w.+-]{1,60}/[\w.+-]{1,60}")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a probe has found. Without a status, the probe itself was not possible."""

    status: Status | None
    detail: str
    latency_ms: float | None = None
    tools: Tools | None = None


class Prober:
    """Asks remotes; what one of them takes is bounded in time, bytes and addresses."""

    def __init__(
        self,
        allowed: Allowed,
        *,
        timeout_seconds: float,
        slow_seconds: float,
        tls: ssl.SSLContext | None = None,
        resolve: Resolver | None = None,
    ) -> None:
        self._allowed = allowed
        connect_seconds = min(CONNECT_SECONDS, timeout_seconds / 2)
        self._limits = Limits(timeout_seconds, connect_seconds, RECEIVED_BYTES)
        self._slow_seconds = slow_seconds
        self._tls = tls or httpx2.create_ssl_context()
        self._resolve = resolve or SystemResolver()

    async def ask(self, remote: Remote) -> Outcome:
        """Ask a remote once."""
        fault = fault_of(remote.url)
        if fault is not None:
            return Outcome(None, f"not asked: {fault}")
        wire = Wire(
            self._allowed,
            self._limits,
            self._tls,
            self._resolve,
            REACHABLE,
            streams=remote.type == "sse",
        )
        conversation = Conversation(remote, wire, self._limits)
        started = time.perf_counter()
        try:
            with anyio.CancelScope() as scope:
                wire.settled = scope.cancel
                async with asyncio.timeout(self._limits.seconds):
                    await conversation.hold()
        except Exception as error:
            # What a foreign server sends can make the library raise anything.
            return self._judge(conversation, error, started)
        return self._judge(conversation, None, started)

    def _judge(
        self, conversation: Conversation, error: Exception | None, started: float
    ) -> Outcome:
        seconds = (conversation.ended or time.perf_counter()) - started
        failure, answer = conversation.wire.failure, conversation.wire.answer
        if conversation.ended is not None:
            return self._answered(conversation, seconds)
        if failure is not None:
            if isinstance(failure, TooLarge) and conversation.protocol is not None:
                return Outcome("degraded", f"{failure.reason} of {conversation.request}")
            unasked = "not asked: " if isinstance(failure, NotAllowed) else ""
            return Outcome(None if failure.own else "down", unasked + failure.reason)
        if answer is not None and answer.status in REACHABLE:
            detail = f"{REACHABLE[HTTPStatus(answer.status)]} ({answer.status})"
            return Outcome("up", detail, seconds * 1000)
        if isinstance(error, TimeoutError):
            return Outcome(
                "down", f"no answer to {conversation.request} within {self._limits.seconds:g} s"
            )
        return _unusable(conversation, answer, error)

    def _answered(self, conversation: Conversation, seconds: float) -> Outcome:
        offers = "" if conversation.tools is None else f", {len(conversation.tools)} tools"
        detail = f"MCP {conversation.protocol}{offers}"
        slow = seconds > self._slow_seconds
        return Outcome(
            "degraded" if slow else "up",
            f"slow, {seconds:.1f} s: {detail}" if slow else detail,
            seconds * 1000,
            conversation.tools,
        )


def _unusable(
    conversation: Conversation, answer: Answer | None, error: Exception | None
) -> Outcome:
    """What an answer means that is no answer of MCP, or an error of it."""
    request = conversation.request
    if answer is None:
        return Outcome("down", f"no answer to {request}")
    if answer.location is not None:
        return Outcome("down", f"redirects to {answer.location}, which is not followed")
    refusal = _refusal(error)
    if answer.status < HTTPStatus.INTERNAL_SERVER_ERROR and refusal and _is_sent(refusal):
        return Outcome("degraded", f"answers {request} with the error {refusal.code}")
    return Outcome("down", _without_mcp(answer, refusal, request))


def _without_mcp(answer: Answer, refusal: MCPError | None, request: str) -> str:
    if answer.status != HTTPStatus.OK:
        return f"answers {answer.name} to {request}"
    if refusal and refusal.message.startswith(CUT_SHORT):
        return f"ends the answer to {request} before it is complete"
    if answer.content_type not in MCP_TYPES:
        return f"answers with {_media_type(answer)}, which is not MCP"
    return f"answers {request} with JSON that is not MCP"


def _refusal(error: BaseException | None) -> MCPError | None:
    """The error of MCP in what the client library raised."""
    if isinstance(error, BaseExceptionGroup):
        return next(filter(None, map(_refusal, error.exceptions)), None)
    return error if isinstance(error, MCPError) else None


def _is_sent(refusal: MCPError) -> bool:
    """Whether the server sent an error, rather than the library that of an unusable answer."""
    return (refusal.code, refusal.message) not in PLACEHOLDERS and not refusal.message.startswith(
        UNREADABLE + CUT_SHORT
    )


def _media_type(answer: Answer) -> str:
    """A media type as it was sent, unless it is no media type."""
    sent = answer.content_type
    return sent if MEDIA_TYPE.fullmatch(sent) else "an unknown media type"
