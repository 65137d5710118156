"""Who sends a request: one rule for REST and MCP, before either of them reads anything."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection

from starlette.types import ASGIApp, Receive, Scope, Send

from supervisor_mcp import identity
from supervisor_mcp.authentication import headers
from supervisor_mcp.authentication.authenticator import Authenticator
from supervisor_mcp.authentication.challenge import CHALLENGED, challenge
from supervisor_mcp.authentication.headers import refused
from supervisor_mcp.errors import Problem
from supervisor_mcp.server import refusals
from supervisor_mcp.server.rate_limit import RateLimit
from supervisor_mcp.server.recheck import Recheck
from supervisor_mcp.server.watch import Watch

WITH_BODY = {"POST", "PUT", "PATCH"}

# Where the metadata of what a request asks for is; None where there is none.
MetadataUrl = Callable[[Scope], str | None]


class Gate:
    """Lets a request pass as its sender, or answers it; some paths need no credentials."""

    def __init__(
        self,
        authenticator: Authenticator,
        open_paths: Collection[str],
        metadata_url: MetadataUrl,
        rate_limit: RateLimit | None,
    ) -> None:
        self._authenticator = authenticator
        self._open_paths = frozenset(open_paths)
        self._metadata_url = metadata_url
        self._watch = Watch(authenticator)
        # None lets everybody send as many requests as they like.
        self._rate_limit = rate_limit

    async def __call__(
        self, application: ASGIApp, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Have the application answer, or refuse the request."""
        if scope["path"] in self._open_paths:
            await application(scope, receive, send)
            return
        try:
            sent = headers.read(scope["headers"])
            sender = self._authenticator.recall(sent) or await self._authenticator.identify(sent)
            limit = self._rate_limit
            if limit is not None and not limit.admits(sender, scope):
                await limit.admit(sender, scope)
        except Problem as problem:
            await self._refuse(problem, scope, send)
            return
        token = identity.current.set(sender)
        self._watch.begin(sent, scope)
        try:
            if scope["method"] in WITH_BODY:
                recheck = Recheck(self._authenticator, sent, receive, send)
                await recheck.answered_by(application, scope)
            else:
                await application(scope, receive, send)
        except asyncio.CancelledError:
            if not self._watch.has_ended(scope):
                raise
            await self._end(refused("the credentials are not valid any more"), scope, send)
        except Problem as problem:
            await self._end(problem, scope, send)
        finally:
            self._watch.end(scope)
            identity.current.reset(token)

    async def stop(self) -> None:
        """Record what was noted of the credentials."""
        await self._authenticator.stop()

    async def _end(self, problem: Problem, scope: Scope, send: Send) -> None:
        """Refuse a request, or end the answer that has begun."""
        if scope.get("supervisor.started"):
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        else:
            await self._refuse(problem, scope, send)

    async def _refuse(self, problem: Problem, scope: Scope, send: Send) -> None:
        more = []
        if problem.slug in CHALLENGED:
            value = challenge(problem, self._metadata_url(scope))
            more.append((b"www-authenticate", value.encode("latin-1", "replace")))
        await refusals.answer(problem, scope["supervisor.request_id"], send, more)
