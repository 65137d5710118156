"""Sending one request to a subscriber, and what its answer means."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from importlib.metadata import version
from typing import Literal

import httpx2
from msgspec import Raw, Struct
from standardwebhooks import Webhook

from supervisor_mcp.background.addresses import Allowed
from supervisor_mcp.background.reasons import NotAllowed
from supervisor_mcp.background.wire import (
    Answer,
    Limits,
    Resolver,
    SystemResolver,
    Wire,
    fault_of,
)

CONNECT_SECONDS = 5.0
# The status says everything: no body is read.
RECEIVED_BYTES = 64 * 1024
ALERTMANAGER_PATH = "/api/v2/alerts"
# Refusals that may not last, in contrast to the others of the client's side.
PASSING = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
HEADERS = {
    "Content-Type": "application/json",
    "User-Agent": f"supervisor-mcp/{version('supervisor-mcp')}",
    "Accept-Encoding": "identity",
}


class Delivery(Struct):
    """A request that this process has claimed, as `api.take_deliveries` gives it."""

    delivery_id: str
    type: Literal["webhook", "alertmanager"]
    url: str
    secret: str | None
    attempt: int
    payload: Raw


@dataclass(frozen=True, slots=True)
class Outcome:
    """What has become of a request; `retry` if a later attempt may succeed."""

    delivered: bool
    retry: bool
    detail: str


class Sender:
    """Sends requests; what one of them takes is bounded in time, bytes and addresses."""

    def __init__(
        self,
        allowed: Allowed,
        *,
        timeout_seconds: float,
        tls: ssl.SSLContext | None = None,
        resolve: Resolver | None = None,
    ) -> None:
        self._allowed = allowed
        connect_seconds = min(CONNECT_SECONDS, timeout_seconds / 2)
        self._limits = Limits(timeout_seconds, connect_seconds, RECEIVED_BYTES)
        self._tls = tls or httpx2.create_ssl_context()
        self._resolve = resolve or SystemResolver()

    async def send(self, delivery: Delivery, now: datetime) -> Outcome:
        """Send a request once."""
        fault = fault_of(delivery.url)
        if fault is not None:
            return Outcome(delivered=False, retry=False, detail=f"not sent: {fault}")
        wire = Wire(self._allowed, self._limits, self._tls, self._resolve)
        try:
            async with asyncio.timeout(self._limits.seconds):
                await self._post(wire, delivery, now)
        except Exception as error:
            # No request may stop the others, whatever its receiver makes the library raise.
            return self._judge(wire, error)
        return self._judge(wire, None)

    async def _post(self, wire: Wire, delivery: Delivery, now: datetime) -> None:
        body = bytes(delivery.payload)
        async with (
            httpx2.AsyncClient(
                transport=wire,
                timeout=httpx2.Timeout(self._limits.seconds, connect=self._limits.connect_seconds),
                headers=HEADERS,
                trust_env=False,
            ) as client,
            client.stream(
                "POST", _place(delivery), content=body, headers=_signed(delivery, body, now)
            ),
        ):
            pass

    def _judge(self, wire: Wire, error: Exception | None) -> Outcome:
        if wire.answer is not None:
            return _answered(wire.answer)
        if isinstance(wire.failure, NotAllowed):
            return Outcome(delivered=False, retry=False, detail=f"not sent: {wire.failure.reason}")
        if wire.failure is not None:
            detail = wire.failure.reason
        elif isinstance(error, TimeoutError):
            detail = f"no answer within {self._limits.seconds:g} s"
        else:
            detail = f"the request failed: {type(error).__name__}"
        return Outcome(delivered=False, retry=True, detail=detail)


def _place(delivery: Delivery) -> httpx2.URL:
    """Where a request goes; of an Alertmanager, the URL may be that of its start page."""
    url = httpx2.URL(delivery.url)
    if delivery.type == "webhook" or url.path.endswith(ALERTMANAGER_PATH):
        return url
    return url.copy_with(path=url.path.rstrip("/") + ALERTMANAGER_PATH)


def _signed(delivery: Delivery, body: bytes, now: datetime) -> dict[str, str]:
    """The headers of Standard Webhooks; none of a receiver without a key."""
    if delivery.secret is None:
        return {}
    # The library takes every time for UTC.
    at = now.astimezone(UTC)
    return {
        "webhook-id": delivery.delivery_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(delivery.secret).sign(delivery.delivery_id, at, body.decode()),
    }


def _answered(answer: Answer) -> Outcome:
    status = answer.status
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Outcome(delivered=True, retry=False, detail=f"answers {answer.name}")
    refused = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    moved = status in (HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.PERMANENT_REDIRECT)
    # Where it leads may contain a key, and errors are shown to every reader.
    redirects = "" if answer.location is None else "; redirects are not followed"
    return Outcome(
        delivered=False,
        retry=not (refused or moved) or status in PASSING,
        detail=f"answers {answer.name}{redirects}",
    )
