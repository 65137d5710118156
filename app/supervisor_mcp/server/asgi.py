"""The composition root: settings → database, cache, Falcon and MCP applications, one lifespan.

`server/launch.py` starts gunicorn with `supervisor_mcp.server.asgi:create()`.
"""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext
from functools import partial

from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from supervisor_mcp import config
from supervisor_mcp.authentication import authenticator as authentication
from supervisor_mcp.background.start import running
from supervisor_mcp.config import Settings
from supervisor_mcp.mcp import http
from supervisor_mcp.mcp.authentication import WELL_KNOWN, Provider
from supervisor_mcp.mcp.server import create_mcp
from supervisor_mcp.operations import context as operations
from supervisor_mcp.operations.context import Context
from supervisor_mcp.rest.app import OPEN_PATHS, create_app
from supervisor_mcp.server import rate_limit
from supervisor_mcp.server.exposure import refuse_exposure
from supervisor_mcp.server.gate import Gate
from supervisor_mcp.server.guard import Guard
from supervisor_mcp.server.middleware import AccessLog, Middleware
from supervisor_mcp.telemetry import log

logger = logging.getLogger(__name__)


class Application:
    """REST, what is mounted beside it, and loops, with one lifespan; REST has the context's."""

    def __init__(
        self,
        context: Context,
        mounts: Mapping[str, Starlette],
        guard: Guard,
        access_log: AccessLog | None,
        loops: AbstractAsyncContextManager[None] | None = None,
        gate: Gate | None = None,
    ) -> None:
        self._context = context
        self._loops = loops or nullcontext()
        self._gate = gate
        # One that is at several paths lives once.
        self._mounted = tuple(dict.fromkeys(mounts.values()))
        self._middleware = Middleware(create_app(context), mounts, guard, access_log, gate)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request or the lifespan; websockets are refused."""
        if scope["type"] == "http":
            await self._middleware(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        # The protocol calls it when the process is to stop: before that, the lifespan does not end.
        scope.get("state", {})["supervisor.end_streams"] = self._context.streams.end
        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(operations.connected(self._context))
                await stack.enter_async_context(self._loops)
                if self._gate is not None:
                    stack.push_async_callback(self._gate.stop)
                for mounted in self._mounted:
                    await stack.enter_async_context(mounted.router.lifespan_context(mounted))
            except Exception as error:
                logger.exception("the start failed")
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                return
            # What exists now lives as long as the process: the collector can skip it.
            gc.collect()
            gc.freeze()
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


def create(settings: Settings | None = None) -> Application:
    """The application that the settings describe. Raises ValueError without a database."""
    settings = settings or config.load()
    refuse_exposure(settings, settings.host)
    context = operations.build(settings)
    authenticator = authentication.build(settings, context)
    provider = gate = None
    if authenticator is not None:
        issuer = settings.jwt_issuer if settings.algorithms else None
        provider = Provider(authenticator, issuer, settings.public_url)
        gate = Gate(
            authenticator,
            {*OPEN_PATHS, *(route.path for route in provider.get_routes(http.PATH))},
            partial(provider.metadata_url, mcp_path=http.PATH),
            rate_limit.build(settings, context.cache.redis),
        )
    mcp = http.create_http_app(create_mcp(context, auth=provider))
    mounts = {http.PATH: mcp, **({WELL_KNOWN: mcp} if provider is not None else {})}
    guard = Guard(settings.allowed_hosts, settings.allowed_origins)
    access_log = log.access_log(settings.log_level)
    return Application(context, mounts, guard, access_log, running(context, settings), gate)


def warm_up() -> None:
    """Build what the first MCP call would, so that no worker that is forked has to."""
    nowhere = operations.build(Settings.model_construct(database_url=""))
    asyncio.run(http.warm_up(create_mcp(nowhere)))
