"""The composition root: settings → pool, cache, Falcon and MCP applications, one lifespan.

gunicorn is started with `supervisor_mcp.server.asgi:create()`.
"""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from supervisor_mcp import config
from supervisor_mcp.config import Settings
from supervisor_mcp.mcp.http import PATH, create_http_app
from supervisor_mcp.mcp.server import create_mcp
from supervisor_mcp.operations import context as operations
from supervisor_mcp.operations.context import Context
from supervisor_mcp.rest.app import create_app
from supervisor_mcp.server.middleware import Asgi, Message, Middleware, Receive, Scope, Send

logger = logging.getLogger(__name__)


class Application:
    """The ASGI application: one lifespan around the core, REST and what is mounted."""

    def __init__(self, context: Context, mounts: Mapping[str, Asgi], *, access_log: bool) -> None:
        rest: Any = create_app(context)
        self._context = context
        self._children = (rest, *mounts.values())
        self._middleware = Middleware(rest, mounts, access_log=access_log)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request or the lifespan; websockets are not spoken."""
        if scope["type"] == "http":
            await self._middleware(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(operations.connected(self._context))
                for child in self._children:
                    await stack.enter_async_context(_living(child))
            except Exception as error:
                logger.exception("the start failed")
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                return
            # What stands now stays: the collector need not walk it again and again.
            gc.collect()
            gc.freeze()
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


def create(settings: Settings | None = None) -> Application:
    """The application that the settings describe. Raises ValueError without a database."""
    settings = settings or config.load()
    context = operations.build(settings)
    mounts: dict[str, Asgi] = {PATH: create_http_app(create_mcp(context))}
    return Application(context, mounts, access_log=settings.log_level.lower() in {"debug", "info"})


@asynccontextmanager
async def _living(child: Asgi) -> AsyncIterator[None]:
    """Run the lifespan of a child in a task of its own, from its start to its end.

    A child that does not know lifespans is left alone. Raises RuntimeError when its start fails.
    """
    orders: asyncio.Queue[Message] = asyncio.Queue()
    answers: asyncio.Queue[Message] = asyncio.Queue()
    task: asyncio.Task[None] = asyncio.create_task(
        child(
            {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, orders.get, answers.put
        )  # type: ignore[arg-type]
    )
    task.add_done_callback(lambda _: answers.put_nowait({"type": "gone"}))
    await orders.put({"type": "lifespan.startup"})
    answer = await answers.get()
    if answer["type"] == "lifespan.startup.failed":
        raise RuntimeError(answer.get("message", "a part did not start"))
    try:
        yield
    finally:
        if answer["type"] == "lifespan.startup.complete":
            await orders.put({"type": "lifespan.shutdown"})
            await answers.get()
        await asyncio.gather(task, return_exceptions=True)
