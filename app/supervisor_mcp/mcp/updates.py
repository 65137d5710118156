"""Updates of resources, for clients that listen: subscriptions/listen of revision 2026-07-28."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from fastmcp import FastMCP
from mcp.server.context import ServerRequestContext
from mcp.server.subscriptions import ListenHandler, ResourceUpdated, ServerEvent
from mcp_types import SubscriptionsListenRequestParams, SubscriptionsListenResult

from supervisor_mcp import identity
from supervisor_mcp.errors import Problem
from supervisor_mcp.mcp.problems import current_request_id, protocol_error
from supervisor_mcp.mcp.resources import ACTIVE_ALERTS
from supervisor_mcp.operations.alerts import AlertStreamQuery, stream_alerts
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.scopes import require

Listener = Callable[[ServerEvent], None]

# Changes within this time are one update: the client reads the resource again anyway.
PAUSE_SECONDS = 1.0


class AlertUpdates:
    """Says that the active alerts have changed, while anybody listens; the library's bus."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._listeners: dict[object, Listener] = {}
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Add a listener; what is returned removes it."""
        token = object()
        self._listeners[token] = listener
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(
                self._run(), name="alert updates", context=identity.of_service()
            )

        def unsubscribe() -> None:
            self._listeners.pop(token, None)
            if not self._listeners and self._task is not None:
                self._task.cancel()
                self._task = None

        return unsubscribe

    async def publish(self, event: ServerEvent) -> None:
        """Pass an event on to every listener."""
        for listener in tuple(self._listeners.values()):
            listener(event)

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow())
            tasks.create_task(self._announce())

    async def _follow(self) -> None:
        position = None
        while True:
            with suppress(Problem):
                query = AlertStreamQuery(last_event_id=position)
                messages = await stream_alerts(self._context, query, counted=False)
                try:
                    async for message in messages:
                        position = message.id or position
                        if message.data is not None:
                            self._changed.set()
                finally:
                    await messages.close()
            # The database is away, or the process stops.
            await asyncio.sleep(PAUSE_SECONDS)

    async def _announce(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            await self.publish(ResourceUpdated(ACTIVE_ALERTS))
            await asyncio.sleep(PAUSE_SECONDS)


class _Listen(ListenHandler):
    """Serves those who may read."""

    async def __call__(
        self, ctx: ServerRequestContext[Any, Any], params: SubscriptionsListenRequestParams
    ) -> SubscriptionsListenResult:
        try:
            require("read")
        except Problem as problem:
            raise protocol_error(problem, current_request_id()) from None
        return await super().__call__(ctx, params)


def register(server: FastMCP, context: Context) -> None:
    """Let clients listen. FastMCP has no way of its own to say so."""
    handler = _Listen(AlertUpdates(context), max_subscriptions=context.streams.limit)
    server._mcp_server.add_request_handler(
        "subscriptions/listen", SubscriptionsListenRequestParams, handler
    )
    context.streams.before_end(handler.close)
