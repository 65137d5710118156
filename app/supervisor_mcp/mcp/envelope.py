"""What the library's HTTP transport leaves to be done, as ASGI middleware around it."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from mcp_types import INVALID_REQUEST, UNSUPPORTED_PROTOCOL_VERSION
from mcp_types.version import SUPPORTED_PROTOCOL_VERSIONS
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from supervisor_mcp.mcp.separators import escape_separators

VERSION_HEADER: Final = b"mcp-protocol-version"
# How the library reports a body that fits none of its models: pages of their validation errors.
MODEL_ERRORS = "Validation error: "
NOT_ONE_MESSAGE = (
    "the body is not one JSON-RPC 2.0 request, notification or response; send the messages of a"
    " batch one by one"
)


class Envelope:
    """Trims header values, escapes line separators, and rewords errors of the protocol."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # RFC 9110, 5.5: white space around a value is not part of it.
        scope["headers"] = [(name, value.strip(b" \t")) for name, value in scope["headers"]]
        await self._app(scope, receive, _Answer(scope, send))


class _Answer:
    """The messages of one answer on their way out."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._version = dict(scope["headers"]).get(VERSION_HEADER, b"").decode("latin-1")
        self._send = send
        self._refusal: Message | None = None
        self._parts: list[bytes] = []

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 400:
            self._refusal = message
        elif message["type"] == "http.response.body":
            message["body"] = escape_separators(message.get("body", b""))
            if self._refusal is None:
                await self._send(message)
            else:
                self._parts.append(message["body"])
                if not message.get("more_body", False):
                    await self._refuse(self._refusal)
        else:
            await self._send(message)

    async def _refuse(self, start: Message) -> None:
        body = _reworded(b"".join(self._parts), self._version)
        MutableHeaders(scope=start)["content-length"] = str(len(body))
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})


def _reworded(body: bytes, version: str) -> bytes:
    """The JSON-RPC error with a sentence where the library has none, else as it is."""
    try:
        answer: dict[str, Any] = msgspec.json.decode(body, type=dict[str, Any])
        error = answer["error"]
        message = str(error["message"])
    except (msgspec.DecodeError, msgspec.ValidationError, KeyError, TypeError):
        return body
    if version and version not in SUPPORTED_PROTOCOL_VERSIONS:
        supported = list(SUPPORTED_PROTOCOL_VERSIONS)
        error["code"] = UNSUPPORTED_PROTOCOL_VERSION
        error["message"] = (
            f'unsupported protocol version "{version[:100]}"; supported versions:'
            f" {', '.join(supported)}"
        )
        error["data"] = {"supported": supported, "requested": version[:100]}
    elif message.startswith(MODEL_ERRORS):
        error["code"] = INVALID_REQUEST
        error["message"] = NOT_ONE_MESSAGE
    else:
        return body
    return msgspec.json.encode(answer)
