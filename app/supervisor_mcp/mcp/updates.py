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
    """Says that the active alerts have changed, while anybody listens; the library's bus.

    Listeners hear of their own namespace.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._namespaces: dict[str, _Updates] = {}

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Add a listener; what is returned removes it."""
        namespace = identity.current.get().namespace
        updates = self._namespaces.setdefault(namespace, _Updates(self._context, namespace))
        unsubscribe = updates.subscribe(listener)

        def leave() -> None:
            unsubscribe()
            if not updates.listeners and self._namespaces.get(namespace) is updates:
                del self._namespaces[namespace]

        return leave

    async def publish(self, event: ServerEvent) -> None:
        """Pass an event on to every listener."""
        for updates in tuple(self._namespaces.values()):
            updates.publish(event)


class _Updates:
    """Those of one namespace."""

    def __init__(self, context: Context, namespace: str) -> None:
        self._context = context
        self._namespace = namespace
        self.listeners: dict[object, Listener] = {}
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        token = object()
        self.listeners[token] = listener
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(
                self._run(), name="alert updates", context=identity.of_service()
            )

        def unsubscribe() -> None:
            self.listeners.pop(token, None)
            if not self.listeners and self._task is not None:
                self._task.cancel()
                self._task = None

        return unsubscribe

    def publish(self, event: ServerEvent) -> None:
        for listener in tuple(self.listeners.values()):
            listener(event)

    async def _run(self) -> None:
        # The task goes on when the request has ended in which it began.
        identity.current.set(identity.serving(self._namespace))
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
            self.publish(ResourceUpdated(ACTIVE_ALERTS))
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
