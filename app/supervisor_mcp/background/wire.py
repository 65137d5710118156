"""HTTP to a host that nobody vouches for: checked addresses, bounded answers, nothing kept.

The addresses of a host are looked up once, every one of them is checked, and connections go to what
was checked: a name that leads elsewhere a moment later (DNS rebinding) changes nothing.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus

import httpx2

from supervisor_mcp.background import reasons
from supervisor_mcp.background.addresses import Allowed
from supervisor_mcp.background.reasons import NotAllowed, TooLarge, Unanswered

# From a host and a port to the addresses of the host. Raises OSError.
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]

# Names that are looked up at once.
LOOKUPS = 16
IDENTITY = ("", "identity")


class SystemResolver:
    """Looks names up as the system does, in threads of its own.

    Those of the event loop also look up the database, and a name whose servers do not answer keeps
    a thread for many seconds.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(LOOKUPS, thread_name_prefix="names")

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """The addresses of a host. Raises OSError."""
        try:
            found = await asyncio.get_running_loop().run_in_executor(
                self._threads, partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
            )
        except UnicodeError as error:
            raise socket.gaierror(socket.EAI_NONAME, str(error)) from error
        return list(dict.fromkeys(str(address[0]) for *_, address in found))


@dataclass(frozen=True, slots=True)
class Limits:
    """What a remote gets at most."""

    seconds: float
    connect_seconds: float
    received_bytes: int


@dataclass(frozen=True, slots=True)
class Answer:
    """The head of a response."""

    status: int
    content_type: str
    location: httpx2.URL | None

    @property
    def name(self) -> str:
        """The status as people write it, such as `502 Bad Gateway`."""
        try:
            return f"{self.status} {HTTPStatus(self.status).phrase}"
        except ValueError:
            return str(self.status)


class Wire(httpx2.AsyncBaseTransport):
    """A transport for the requests to one remote.

    `failure` is why the last request failed, `answer` the head of the last response. `settled` is
    called after a failure and after a response whose status is decisive: to ask on is of no use.
    Without `streams`, a GET is answered here as by a server that offers no stream of its own.
    """

    def __init__(
        self,
        allowed: Allowed,
        limits: Limits,
        tls: ssl.SSLContext,
        resolve: Resolver,
        decisive: Collection[int] = (),
        *,
        streams: bool = True,
    ) -> None:
        self._allowed = allowed
        self._limits = limits
        self._resolve = resolve
        self._decisive = decisive
        self._streams = streams
        self._inner = httpx2.AsyncHTTPTransport(verify=tls, trust_env=False)
        self._addresses: dict[tuple[str, int], list[str]] = {}
        self._received = 0
        self.failure: Unanswered | None = None
        self.answer: Answer | None = None
        self.settled: Callable[[], None] | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request to an address that was checked. Raises `Unanswered`."""
        if request.method == "GET" and not self._streams:
            return httpx2.Response(405)
        try:
            response = await self._send(request)
            self.answer = Answer(
                response.status_code,
                response.headers.get("content-type", "").partition(";")[0].strip().lower(),
                _location(request, response),
            )
            await _refuse_compressed(response)
        except Unanswered as failure:
            self._fail(failure)
            raise
        if response.status_code in self._decisive and self.settled is not None:
            self.settled()
        return httpx2.Response(
            status_code=response.status_code,
            headers=response.headers,
            stream=_Bounded(self, response.stream),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()

    def receive(self, part: bytes) -> None:
        """Count what has come. Raises `TooLarge`."""
        self._received += len(part)
        if self._received > self._limits.received_bytes:
            kib = self._limits.received_bytes // 1024
            failure = TooLarge(f"the answers exceed {kib} KiB")
            self._fail(failure)
            raise failure

    def broken(self, error: httpx2.TransportError) -> Unanswered:
        """Note that an answer was cut short."""
        failure = reasons.of_transport(error)
        self._fail(failure)
        return failure

    def _fail(self, failure: Unanswered) -> None:
        # What is raised has frames that have this transport.
        self.failure = failure.without_frames()
        if self.settled is not None:
            self.settled()

    async def _send(self, request: httpx2.Request) -> httpx2.Response:
        host = request.url.raw_host.decode("ascii")
        port = request.url.port or (443 if request.url.scheme == "https" else 80)
        addresses = await self._checked(host, port)
        failed: list[Unanswered] = []
        for address in tuple(addresses):
            pinned = httpx2.Request(
                request.method,
                request.url.copy_with(host=address),
                headers=request.headers,
                stream=request.stream,
                extensions={**request.extensions, "sni_hostname": host},
            )
            try:
                return await self._inner.handle_async_request(pinned)
            except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
                # Nothing was sent: the host may answer at its next address.
                addresses.remove(address)
                failed.append(reasons.of_transport(error))
            except httpx2.TransportError as error:
                failed.append(reasons.of_transport(error))
                break
        # Taken out: an error has this frame, which must not have the error in turn.
        raise failed.pop()

    async def _checked(self, host: str, port: int) -> list[str]:
        """The addresses of a host that may be connected to; those that did not answer are out."""
        known = self._addresses.get((host, port))
        if known:
            return known
        try:
            async with asyncio.timeout(self._limits.connect_seconds):
                found = await self._resolve(host, port)
        # A time-out of asyncio is an OSError.
        except OSError as error:
            raise reasons.of_lookup(error) from error
        if not found:
            raise Unanswered("the name of the host has no address")
        refused = self._allowed.refused(host, found)
        if refused is not None:
            raise NotAllowed(
                f"the host has the address {refused}, which is not public"
                f" and not in {self._allowed.setting}",
                own=True,
            )
        self._addresses[host, port] = list(found)
        return self._addresses[host, port]


def fault_of(url: str) -> str | None:
    """What is wrong with a URL, before anything is sent to it."""
    try:
        read = httpx2.URL(url)
    except httpx2.InvalidURL:
        return "the URL is not valid"
    if read.scheme not in {"http", "https"} or not read.host:
        return "the URL is not one of HTTP"
    return "the URL has credentials" if read.userinfo else None


class _Bounded(httpx2.AsyncByteStream):
    """A body whose bytes are counted."""

    def __init__(self, wire: Wire, body: object) -> None:
        assert isinstance(body, httpx2.AsyncByteStream)  # noqa: S101
        self._wire = wire
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for part in self._body:
                self._wire.receive(part)
                yield part
        except httpx2.TransportError as error:
            raise self._wire.broken(error) from error

    async def aclose(self) -> None:
        await self._body.aclose()


async def _refuse_compressed(response: httpx2.Response) -> None:
    """Raise `Unanswered` for a body that could become far larger than what was sent."""
    if response.headers.get("content-encoding", "").lower() not in IDENTITY:
        await response.aclose()
        raise Unanswered("the answer is compressed, although the request asked for none")


def _location(request: httpx2.Request, response: httpx2.Response) -> httpx2.URL | None:
    """Where a redirect leads, without what may be secret."""
    location = response.headers.get("location")
    if not response.has_redirect_location or location is None:
        return None
    try:
        there = request.url.join(location)
        return there.copy_with(userinfo=b"", query=None, fragment=None)
    except httpx2.InvalidURL:
        return None
