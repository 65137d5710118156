"""Routes that send events as they come: server-sent events."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

from falcon.asgi import Request, Response, SSEvent
from msgspec.structs import replace

from supervisor_mcp.errors import Problem
from supervisor_mcp.operations.arguments import text
from supervisor_mcp.operations.streams import Messages
from supervisor_mcp.rest.operation import ReadResource
from supervisor_mcp.rest.parameters import HEADERS

EVENTS = "text/event-stream"
# How long a client waits before it connects again.
RETRY_MILLISECONDS = 1000
# Where the scope of a request holds the messages, which the server closes.
STREAM = "supervisor.stream"


class StreamResource(ReadResource):
    """Sends events until the client leaves."""

    event: ClassVar[str]

    @abstractmethod
    async def open(self, query: Any) -> Messages:
        """The messages that a query asks for. Raises `Problem`."""

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer with a stream."""
        messages = await self.open(self._query(req))
        req.scope[STREAM] = messages
        # Proxies that gather an answer would keep events back.
        resp.set_header("X-Accel-Buffering", "no")
        resp.set_header("Cache-Control", "no-store")
        resp.sse = _Events(messages, self.event)

    async def on_head(self, req: Request, resp: Response) -> None:
        """Answer without a stream."""
        self._query(req)
        resp.content_type = EVENTS

    def _query(self, req: Request) -> Any:
        query = self.operation.read(req)
        if not req.client_accepts(EVENTS):
            raise Problem(
                "accept_unknown",
                "none of the accepted media types is available",
                hint=f"Accept {EVENTS}.",
            )
        name = HEADERS["last_event_id"]
        last_event_id = req.get_header(name)
        # Browsers send it empty where the last event had no id.
        if not last_event_id:
            return query
        return replace(query, last_event_id=text(name, last_event_id))


class _Events:
    """Messages as events."""

    def __init__(self, messages: Messages, event: str) -> None:
        self._messages = messages
        self._event = event
        self._retry: int | None = RETRY_MILLISECONDS

    def __aiter__(self) -> _Events:
        return self

    async def __anext__(self) -> SSEvent:
        message = await anext(self._messages)
        retry, self._retry = self._retry, None
        if message.data is None:
            return SSEvent(comment="ping", event_id=message.id, retry=retry)
        event = "missing" if message.about is None else self._event
        return SSEvent(message.data, event=event, event_id=message.id, retry=retry)
