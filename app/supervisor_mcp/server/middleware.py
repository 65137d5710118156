"""Request ids, the access log, counts, and the dispatch to REST and MCP.

Works on the ASGI messages, once for both, so that neither pays for the other's framework.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from uuid import uuid4

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from supervisor_mcp.telemetry import counts

SENT_ID = re.compile(rb"[\x21-\x7e]{1,128}")
WITH_BODY = {"POST", "PUT", "PATCH"}
AccessLog = Callable[[dict[str, object]], None]


class Middleware:
    """Sends the paths below a mount to its application and all others to `rest`.

    The path is not stripped. The scope carries `supervisor.request_id`, the route
    (`supervisor.route`), and `supervisor.cut_short` when the client disconnected within its body.
    """

    def __init__(
        self, rest: ASGIApp, mounts: Mapping[str, ASGIApp], access_log: AccessLog | None
    ) -> None:
        self._rest = rest
        self._mounts = tuple(mounts.items())
        self._access_log = access_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        started = time.perf_counter()
        request_id = _sent_id(scope) or uuid4().hex
        scope["supervisor.request_id"] = request_id
        header = (b"x-request-id", request_id.encode())
        status = 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), header]
            await send(message)

        if scope["method"] in WITH_BODY:
            receive = _noting_departure(scope, receive)
        try:
            await self._application(scope)(scope, receive, send_with_id)
        finally:
            seconds = time.perf_counter() - started
            route = scope.get("supervisor.route") or "none"
            counts.count(scope["method"], route, status, seconds)
            if self._access_log is not None:
                self._access_log(_fields(scope, status, seconds))

    def _application(self, scope: Scope) -> ASGIApp:
        path: str = scope["path"]
        for prefix, application in self._mounts:
            if path == prefix or path.startswith(f"{prefix}/"):
                scope["supervisor.route"] = prefix
                return application
        return self._rest


def _sent_id(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            return value.decode() if SENT_ID.fullmatch(value) else None
    return None


def _noting_departure(scope: Scope, receive: Receive) -> Receive:
    """Falcon takes a lost connection for the end of the body."""
    whole = False

    async def noting() -> Message:
        nonlocal whole
        message = await receive()
        if message["type"] == "http.request":
            whole = not message.get("more_body", False)
        elif not whole:
            scope["supervisor.cut_short"] = True
        return message

    return noting


def _fields(scope: Scope, status: int, seconds: float) -> dict[str, object]:
    client = scope.get("client")
    return {
        "client": client[0] if client else None,
        "method": scope["method"],
        "path": scope["path"],
        "status": status,
        "ms": round(seconds * 1000, 2),
        "request_id": scope["supervisor.request_id"],
    }
