"""The running service, as the command line talks to it."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import httpx
import msgspec

from supervisor_mcp.cli.failure import REFUSED, UNREACHABLE, Failure
from supervisor_mcp.config import Settings

TIMEOUT_SECONDS = 60.0
ANY_ADDRESS = {"0.0.0.0", "::", ""}  # noqa: S104  named to be replaced, not listened on


class Client:
    """Requests to one service; a context that closes its connections.

    Every method raises Failure: with status 3 where nothing answers, with status 4 and the
    service's own words where it refuses.
    """

    def __init__(self, url: str, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self.url = url
        # A proxy of the environment cannot reach this machine's loopback.
        self._http = httpx.Client(
            base_url=url, timeout=timeout_seconds, trust_env=not _is_loopback(url)
        )

    def get(self, path: str, **params: str | int | None) -> bytes:
        """The body of a GET; parameters that are None are left out."""
        given = {name: value for name, value in params.items() if value is not None}
        return accepted(self.send("GET", path, params=given)).content

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """The answer to one request, whatever its status."""
        try:
            return self._http.request(method, path, params=params, content=body, headers=headers)
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise Failure(
                f"No service answers at {self.url} ({_reason(error)}); start one with"
                " `supervisor-mcp up`, or set SUPERVISOR_URL.",
                UNREACHABLE,
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()


def connect(settings: Settings) -> Client:
    """A client of the service at SUPERVISOR_URL, else of the one that `up` starts here."""
    return Client(settings.url or local_url(settings.host, settings.port))


def local_url(host: str, port: int) -> str:
    """The URL at which a service that listens on `host` answers on this machine."""
    reached = "127.0.0.1" if host in ANY_ADDRESS else host
    return f"http://[{reached}]:{port}" if ":" in reached else f"http://{reached}:{port}"


def accepted(response: httpx.Response) -> httpx.Response:
    """The response itself; raises Failure with the service's words where it is an error."""
    if response.is_success:
        return response
    raise Failure(words(response), REFUSED)


def words(response: httpx.Response) -> str:
    """What a problem+json answer says, in one line; its status where it is none."""
    try:
        problem: dict[str, Any] = msgspec.json.decode(response.content, type=dict[str, Any])
    except msgspec.DecodeError:
        return f"{response.request.url} answered {response.status_code}, not as this service does."
    said = [problem.get("detail") or problem.get("title"), problem.get("hint")]
    return " ".join(str(part) for part in said if part) or f"Status {response.status_code}."


def _is_loopback(url: str) -> bool:
    host = httpx.URL(url).host
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
