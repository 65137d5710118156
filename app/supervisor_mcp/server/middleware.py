"""Request ids, the guard, the gate, the access log, counts, and the dispatch to REST and MCP.

Works on the ASGI messages, once for both, so that neither pays for the other's framework.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from functools import partial
from random import getrandbits

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from supervisor_mcp.credentials import keys
from supervisor_mcp.server import refusals
from supervisor_mcp.server.body import Body
from supervisor_mcp.server.gate import Gate
from supervisor_mcp.server.guard import Guard, Verdict, refusal
from supervisor_mcp.server.headers import completed
from supervisor_mcp.telemetry import counts

SENT_ID = re.compile(rb"[\x21-\x7e]{1,128}")
WITH_BODY = {"POST", "PUT", "PATCH"}
# What is counted where the client left before anything was sent, as nginx does.
CLIENT_LEFT = 499
# What scripts of listed origins may use; the headers of answers that programs need.
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE")
EXPOSED = (
    "ETag",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "WWW-Authenticate",
    "X-Next-Cursor",
    "X-Request-ID",
)
# Members of an enumeration take longer to look up than the whole verdict.
ALLOWED = Verdict.ALLOWED
LISTED_ORIGIN = Verdict.LISTED_ORIGIN
AccessLog = Callable[[dict[str, object]], None]


class Middleware:
    """Sends the paths below a mount to its application and all others to `rest`.

    The path is not stripped. The scope carries `supervisor.request_id`, the route
    (`supervisor.route`), `supervisor.stream` when it is answered with events,
    `supervisor.cut_short` when the client disconnected within its body, `supervisor.headers` with
    more headers of the answer, `supervisor.started` when that has begun, and `supervisor.status`
    when the protocol answered in place of the application.
    """

    def __init__(
        self,
        rest: ASGIApp,
        mounts: Mapping[str, ASGIApp],
        guard: Guard,
        access_log: AccessLog | None,
        gate: Gate | None = None,
    ) -> None:
        self._rest = rest
        self._mounts = tuple((path, f"{path}/", mounted) for path, mounted in mounts.items())
        self._guard = guard
        self._access_log = access_log
        # None lets everybody pass.
        self._gate = gate
        # The guard has compared the origin with the list, and sends only listed ones here.
        self._for_listed_origins = CORSMiddleware(
            self._dispatch,
            allow_origin_regex=".*",
            allow_methods=METHODS,
            allow_headers=["*"],
            allow_private_network=True,
            expose_headers=EXPOSED,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        started = time.perf_counter()
        sent_id, host, origin = _headers(scope)
        request_id = sent_id or f"{getrandbits(128):032x}"
        scope["supervisor.request_id"] = request_id
        header = (b"x-request-id", request_id.encode())
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                scope["supervisor.started"] = True
                more = scope.get("supervisor.headers", ())
                message["headers"] = completed(message.get("headers", ()), header, *more)
            await send(message)

        server = scope.get("server")
        verdict = self._guard.judge(
            server[0] if server else None, scope.get("scheme", "http"), host, origin
        )
        try:
            if verdict is ALLOWED:
                application = self._application(scope)
                if self._gate is not None:
                    # For most requests this is less than a call of `_dispatch`.
                    application = partial(self._gate, application)
            elif verdict is LISTED_ORIGIN:
                application = self._for_listed_origins
            else:
                problem = refusal(verdict, host, origin)
                await refusals.answer(problem, request_id, send_with_id)
                return
            if scope["method"] in WITH_BODY:
                await Body(scope, receive, send_with_id).answered_by(application)
            else:
                await application(scope, receive, send_with_id)
        finally:
            stream = scope.get("supervisor.stream")
            if stream is not None:
                # Falcon leaves it open.
                await stream.close()
            seconds = time.perf_counter() - started
            # The protocol may have answered in place of the application, or nobody.
            status = scope.get("supervisor.status") or status or _unanswered(scope)
            route = scope.get("supervisor.route") or "none"
            counts.count(scope["method"], route, status, seconds)
            if self._access_log is not None:
                self._access_log(_fields(scope, status, seconds))

    async def _dispatch(self, scope: Scope, receive: Receive, send: Send) -> None:
        application = self._application(scope)
        if self._gate is None:
            await application(scope, receive, send)
        else:
            await self._gate(application, scope, receive, send)

    def _application(self, scope: Scope) -> ASGIApp:
        path: str = scope["path"]
        for mount, below, application in self._mounts:
            if path == mount or path.startswith(below):
                scope["supervisor.route"] = mount
                return application
        return self._rest


def _headers(scope: Scope) -> tuple[str | None, bytes, bytes | None]:
    """The request id that was sent, the Host and the Origin."""
    sent_id = None
    host = b""
    origin = None
    for name, value in scope["headers"]:
        if name == b"host":
            # Two of them are nobody's.
            host = host + b"," + value if host else value
        elif name == b"origin":
            origin = value if origin is None else origin + b"," + value
        elif name == b"x-request-id" and sent_id is None:
            sent_id = value
    known = sent_id is not None and SENT_ID.fullmatch(sent_id)
    return sent_id.decode() if sent_id is not None and known else None, host, origin


def _unanswered(scope: Scope) -> int:
    return CLIENT_LEFT if scope.get("supervisor.cut_short") else 500


def _fields(scope: Scope, status: int, seconds: float) -> dict[str, object]:
    client = scope.get("client")
    return {
        "client": client[0] if client else None,
        "method": scope["method"],
        # Somebody may send a whole key where its id belongs.
        "path": keys.hidden(scope["path"]),
        "status": status,
        "ms": round(seconds * 1000, 2),
        "request_id": scope["supervisor.request_id"],
    }
