"""HTTP requests of the command line to the running service."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from supervisor_mcp.cli.escape import printable
from supervisor_mcp.cli.failure import REFUSED, UNREACHABLE, USAGE, Failure
from supervisor_mcp.cli.hints import detail_for_command_line, for_command_line

if TYPE_CHECKING:
    import httpx

    from supervisor_mcp.config import Settings

TIMEOUT_SECONDS = 60.0
ANY_ADDRESS = {"0.0.0.0", "::", ""}  # noqa: S104  to be replaced, not to listen on


class Client:
    """Requests to one service; a context that closes its connections.

    Every method raises Failure: with status 3 when nothing answers, with status 4 and the
    service's own error when it refuses.
    """

    def __init__(
        self, url: str, timeout_seconds: float = TIMEOUT_SECONDS, api_key: str | None = None
    ) -> None:
        import httpx

        self.url = url
        # A proxy of the environment cannot reach the loopback of this machine.
        self._http = httpx.Client(
            base_url=url,
            timeout=timeout_seconds,
            trust_env=not _is_loopback(url),
            headers=None if api_key is None else {"Authorization": f"Bearer {api_key}"},
        )

    def get(self, path: str, params: Mapping[str, str | int | None] | None = None) -> bytes:
        """The body of a GET, which is JSON; parameters that are None are left out."""
        given = {name: value for name, value in (params or {}).items() if value is not None}
        return accepted(self.send("GET", path, params=given)).content

    def write(self, method: str, path: str, members: Mapping[str, object]) -> bytes:
        """The body of the answer to an object; members that are None are left out."""
        given = {name: value for name, value in members.items() if value is not None}
        return self.send_json(method, path, given)

    def send_json(self, method: str, path: str, body: object) -> bytes:
        """The body of the answer to a request with JSON, which is JSON too."""
        import msgspec

        headers = {"Content-Type": "application/json"}
        return accepted(
            self.send(method, path, body=msgspec.json.encode(body), headers=headers)
        ).content

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """The answer to one request, with any status."""
        with self._reaching():
            return self._http.request(method, path, params=params, content=body, headers=headers)

    def stream(
        self, path: str, params: Mapping[str, str | None], headers: Mapping[str, str]
    ) -> Iterator[bytes]:
        """The parts of an answer as they come; parameters that are None are left out."""
        given = {name: value for name, value in params.items() if value is not None}
        with (
            self._reaching(),
            self._http.stream("GET", path, params=given, headers=headers) as answer,
        ):
            if not answer.is_success:
                answer.read()
                raise refusal(answer)
            yield from answer.iter_bytes()

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        import httpx

        try:
            yield
        except httpx.TransportError as error:
            raise Failure(
                f"No service answers at {_without_login(self.url)}"
                f" ({str(error) or type(error).__name__}).",
                UNREACHABLE,
                hint="Start one with `supervisor-mcp up`, or set SUPERVISOR_URL.",
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


def load_settings() -> Settings:
    """The settings of the environment. Raises Failure that names a wrong one."""
    from pydantic import ValidationError

    from supervisor_mcp import config

    try:
        return config.load()
    except ValidationError as error:
        first = error.errors()[0]
        if not first["loc"]:
            # Of several settings together; the message names them.
            raise Failure(f"{first['msg'].removeprefix('Value error, ')}.", USAGE) from None
        field = "_".join(map(str, first["loc"]))
        # A URL may have a login.
        hidden = config.is_secret(field) or "@" in str(first["input"])
        sent = "not valid" if hidden else repr(first["input"])
        raise Failure(f"SUPERVISOR_{field.upper()} is {sent}: {first['msg']}.", USAGE) from None


def connect(settings: Settings | None = None, timeout_seconds: float = TIMEOUT_SECONDS) -> Client:
    """A client of the service at SUPERVISOR_URL, else of the one that `up` starts here.

    Raises Failure when the URL is not one of a service.
    """
    given = settings or load_settings()
    if given.url:
        _check_url(given.url)
    api_key = given.secret("api_key")
    if api_key is not None and not (api_key.isascii() and api_key.isprintable()):
        raise Failure("SUPERVISOR_API_KEY has characters that no key or token has.", USAGE)
    return Client(given.url or local_url(given.host, given.port), timeout_seconds, api_key)


def local_url(host: str, port: int) -> str:
    """The URL at which a service that listens on `host` answers on this machine."""
    reached = "127.0.0.1" if host in ANY_ADDRESS else host
    return f"http://[{reached}]:{port}" if ":" in reached else f"http://{reached}:{port}"


def accepted(response: httpx.Response) -> httpx.Response:
    """The response itself; raises Failure with the service's error when it is not a success."""
    if not response.is_success:
        raise refusal(response)
    # A proxy or another program may answer 200 with a page of its own.
    if "json" not in response.headers.get("Content-Type", ""):
        raise _stranger(response)
    return response


def refusal(response: httpx.Response) -> Failure:
    """The error of the service as the command line reports it."""
    import msgspec

    try:
        problem = msgspec.json.decode(response.content, type=dict[str, Any])
    except msgspec.MsgspecError:
        return _stranger(response)
    detail = problem.get("detail") or problem.get("title")
    if not isinstance(detail, str):
        return _stranger(response)
    hint = _hint(problem)
    params = problem.get("params")
    field = params.get("field") if isinstance(params, dict) else None
    return Failure(
        printable(detail_for_command_line(detail, field)),
        REFUSED,
        hint=printable(for_command_line(hint, field)) if isinstance(hint, str) else None,
        problem=problem,
    )


def _hint(problem: Mapping[str, Any]) -> Any:
    """The hint of a problem; about credentials, the setting that they come from."""
    slug = str(problem.get("type")).rpartition(":")[2]
    scope = (problem.get("params") or {}).get("scope")
    return {
        "credentials_required": "Set SUPERVISOR_API_KEY or SUPERVISOR_API_KEY_FILE to a key.",
        "credentials_valid": "Set SUPERVISOR_API_KEY or SUPERVISOR_API_KEY_FILE to a key that is"
        " valid.",
        "scope_sufficient": f"Set SUPERVISOR_API_KEY to a key with the scope {scope}.",
    }.get(slug, problem.get("hint"))


def _stranger(response: httpx.Response) -> Failure:
    return Failure(
        f"{_without_login(str(response.request.url))} answered with status"
        f" {response.status_code}, but not as Supervisor MCP does.",
        REFUSED,
        hint="Check SUPERVISOR_URL, and proxies on the way.",
    )


def _check_url(url: str) -> None:
    import httpx

    try:
        parsed = httpx.URL(url)
        has_port = parsed.port is None or 0 < parsed.port < 2**16
        is_valid = parsed.scheme in ("http", "https") and bool(parsed.host) and has_port
    except (httpx.InvalidURL, ValueError):
        is_valid = False
    if not is_valid:
        raise Failure(
            f'SUPERVISOR_URL is "{_without_login(url)}", which is not an HTTP URL.',
            USAGE,
            hint="Set it to a URL such as http://127.0.0.1:8080.",
        )


def _without_login(url: str) -> str:
    """A URL as it can be shown; works on texts that are not URLs too."""
    scheme, slashes, rest = url.partition("//") if "//" in url else ("", "", url)
    place, slash, path = rest.partition("/")
    return f"{scheme}{slashes}{place.rpartition('@')[2]}{slash}{path}"


def _is_loopback(url: str) -> bool:
    import httpx

    host = httpx.URL(url).host
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
