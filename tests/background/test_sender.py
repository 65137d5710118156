"""What is sent to a subscriber, and what its answers mean: real receivers on loopback."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Literal

import pytest
import sqlfluff.core  # noqa: F401  copies of errors have their frames where it is loaded
import trustme
from msgspec import Raw
from standardwebhooks import Webhook, WebhookVerificationError

from supervisor_mcp.background.addresses import Allowed
from supervisor_mcp.background.sender import Delivery, Outcome, Sender
from supervisor_mcp.background.wire import Resolver
from tests.background import remotes
from tests.background.receivers import always, receiver
from tests.support.garbage import collected_by_nobody
from tests.support.ports import free_port

pytestmark = pytest.mark.server

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID = "0a4e5dd8-7f86-4c8e-8d13-6a8e2bb0d9c1"
PAYLOAD = b'{"version": "1", "text": "\xc3\xbc"}'


def sender(
    *,
    allowed: Sequence[str] = ("127.0.0.0/8",),
    timeout: float = 20,
    tls: ssl.SSLContext | None = None,
    resolve: Resolver | None = None,
) -> Sender:
    """A sender with a limit that a busy machine does not reach."""
    return Sender(
        Allowed("SUPERVISOR_DELIVERY_ALLOWED", allowed),
        timeout_seconds=timeout,
        tls=tls,
        resolve=resolve,
    )


def delivery(
    url: str, kind: Literal["webhook", "alertmanager"] = "webhook", payload: bytes = PAYLOAD
) -> Delivery:
    secret = SECRET if kind == "webhook" else None
    return Delivery(ID, kind, url, secret, attempt=1, payload=Raw(payload))


async def send(url: str, sending: Sender | None = None, **given: Any) -> Outcome:
    """The outcome of a request that is sent now."""
    return await (sending or sender()).send(delivery(url, **given), datetime.now(UTC))


async def test_a_webhook_gets_the_payload_as_it_is_with_a_signature_that_it_can_check() -> None:
    async with receiver() as there:
        outcome = await send(there.url)
    (request,) = there.requests
    assert outcome == Outcome(delivered=True, retry=False, detail="answers 204 No Content")
    assert request.body == PAYLOAD
    assert request.id == ID
    assert request.headers["content-type"] == "application/json"
    assert Webhook(SECRET).verify(request.body, request.headers) == json.loads(PAYLOAD)


async def test_a_request_that_fails_leaves_nothing_behind() -> None:
    sending = sender()
    with collected_by_nobody() as left:
        outcome = await send(f"http://127.0.0.1:{free_port()}", sending)
        assert outcome.detail == "the connection was refused"
        outcome = await send("http://192.0.2.1", sending)
        assert outcome.detail.startswith("not sent: the host has the address 192.0.2.1")
        assert await left() == []


async def test_a_signature_holds_for_no_other_body_and_no_other_key() -> None:
    async with receiver() as there:
        await send(there.url)
    (request,) = there.requests
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(request.body + b" ", request.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "A" * 32).verify(request.body, request.headers)


async def test_a_signature_is_of_its_time_whatever_the_zone_of_the_clock() -> None:
    at = datetime(2025, 6, 15, 12, 34, 56, 999_999, tzinfo=UTC)
    async with receiver() as there:
        for zone in (UTC, timezone(timedelta(hours=5))):
            await sender().send(delivery(there.url), at.astimezone(zone))
    first, second = there.requests
    assert first.headers["webhook-timestamp"] == str(int(at.timestamp()))
    assert second.headers == first.headers


@pytest.mark.parametrize(
    ("path", "sent_to"),
    [
        ("", "/api/v2/alerts"),
        ("/", "/api/v2/alerts"),
        ("/prefix/?a=b", "/prefix/api/v2/alerts?a=b"),
        ("/prefix/api/v2/alerts", "/prefix/api/v2/alerts"),
    ],
)
async def test_an_alertmanager_is_sent_to_its_api_without_a_signature(
    path: str, sent_to: str
) -> None:
    async with receiver() as there:
        await send(there.url.replace("/hook", path), kind="alertmanager", payload=b"[]")
    (request,) = there.requests
    assert (request.path, request.body) == (sent_to, b"[]")
    assert "webhook-signature" not in request.headers


@pytest.mark.parametrize(
    ("status", "delivered", "retry"),
    [
        ("200 OK", True, False),
        ("202 Accepted", True, False),
        ("302 Found", False, True),
        ("400 Bad Request", False, False),
        ("404 Not Found", False, False),
        ("408 Request Timeout", False, True),
        ("410 Gone", False, False),
        ("429 Too Many Requests", False, True),
        ("500 Internal Server Error", False, True),
        ("503 Service Unavailable", False, True),
    ],
)
async def test_a_status_says_whether_to_try_again(
    status: str, delivered: bool, retry: bool
) -> None:
    async with receiver(always(status)) as there:
        assert await send(there.url) == Outcome(delivered, retry, f"answers {status}")


@pytest.mark.parametrize(
    ("status", "retry"), [("307 Temporary Redirect", True), ("308 Permanent Redirect", False)]
)
async def test_a_redirect_is_not_followed_and_not_shown(status: str, retry: bool) -> None:
    async with receiver() as other:
        headers = [f"Location: {other.url}?key=1"]
        async with remotes.answering(status, headers=headers) as there:
            outcome = await send(there.url)
    detail = f"answers {status}; redirects are not followed"
    assert outcome == Outcome(delivered=False, retry=retry, detail=detail)
    assert other.requests == []


@pytest.mark.parametrize(
    "headers", [["Content-Encoding: gzip"], ["Content-Type: text/html"]], ids=["gzip", "html"]
)
async def test_what_a_receiver_that_has_accepted_says_does_not_matter(headers: list[str]) -> None:
    async with remotes.answering(body=b"x" * 200_000, headers=headers) as there:
        assert (await send(there.url)).delivered


async def test_a_receiver_that_does_not_answer_is_asked_again() -> None:
    async with receiver(silent=True) as there:
        outcome = await send(there.url, sender(timeout=0.5))
    assert outcome == Outcome(delivered=False, retry=True, detail="no answer within 0.5 s")


async def test_a_receiver_that_closes_the_connection_is_asked_again() -> None:
    async with remotes.sending(b"") as there:
        outcome = await send(there.url)
    assert outcome == Outcome(
        delivered=False, retry=True, detail="the answer ended early or is not HTTP"
    )


async def test_a_port_where_nobody_listens_is_asked_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    outcome = await send(f"http://127.0.0.1:{port}/")
    assert outcome == Outcome(delivered=False, retry=True, detail="the connection was refused")


async def test_a_name_that_cannot_be_looked_up_is_asked_again() -> None:
    async def resolve(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    outcome = await send("https://hooks.example/", sender(resolve=resolve))
    assert (outcome.delivered, outcome.retry) == (False, True)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.7", "169.254.169.254", "::1"])
async def test_a_private_address_is_refused_for_good(address: str) -> None:
    async def resolve(host: str, port: int) -> list[str]:
        return [address]

    outcome = await send("https://hooks.example/", sender(allowed=[], resolve=resolve))
    assert outcome == Outcome(
        delivered=False,
        retry=False,
        detail=f"not sent: the host has the address {address}, which is not public"
        " and not in SUPERVISOR_DELIVERY_ALLOWED",
    )


async def test_a_name_that_leads_elsewhere_after_the_check_changes_nothing() -> None:
    """The second look-up would lead to a receiver that is not allowed (DNS rebinding)."""
    asked: list[str] = []

    async def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1" if len(asked) == 1 else "127.0.0.2"]

    sending = sender(allowed=["127.0.0.1"], resolve=resolve)
    async with receiver() as there:
        url = there.url.replace("127.0.0.1", "rebinding.example")
        first = await send(url, sending)
        second = await send(url, sending)
    assert asked == ["rebinding.example"] * 2
    assert (first.delivered, second.delivered) == (True, False)
    assert "127.0.0.2, which is not public" in second.detail


async def test_a_certificate_is_checked_for_the_name_of_the_host() -> None:
    authority = trustme.CA()
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("hooks.example").configure_cert(serving)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)

    async def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    sending = sender(tls=trusting, resolve=resolve)
    async with remotes.answering("204 No Content", tls=serving) as there:
        good = await send(there.url.replace("127.0.0.1", "hooks.example"), sending)
        bad = await send(there.url.replace("127.0.0.1", "other.example"), sending)
    assert good.delivered
    assert bad.detail.startswith("the TLS certificate is not valid: Hostname mismatch")


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("ftp://hooks.example/", "the URL is not one of HTTP"),
        ("https://user:secret@hooks.example/", "the URL has credentials"),
    ],
)
async def test_a_url_that_names_no_host_of_http_is_refused_for_good(url: str, fault: str) -> None:
    assert await send(url) == Outcome(delivered=False, retry=False, detail=f"not sent: {fault}")


async def test_nothing_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    async with receiver() as there:
        assert (await send(there.url)).delivered
    assert "authorization" not in there.requests[0].headers
