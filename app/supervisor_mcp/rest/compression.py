"""Answers compressed with gzip for clients that accept it."""

from __future__ import annotations

from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Smaller answers fit one packet either way.
SMALLEST_BYTES = 1400
# Twice as fast as the highest level, and 2 % larger.
LEVEL = 6


def compressed(app: ASGIApp) -> ASGIApp:
    """The application with compressed answers."""
    return GZipMiddleware(_Copies(app), minimum_size=SMALLEST_BYTES, compresslevel=LEVEL)


class _Copies:
    """Sends copies of messages: Falcon shares one message among answers, and Starlette edits it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_copy(message: Message) -> None:
            await send(dict(message))

        await self._app(scope, receive, send_copy)
