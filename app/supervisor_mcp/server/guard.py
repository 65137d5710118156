"""Which Host and Origin headers are answered: one rule for REST and MCP.

A web page can send requests to this machine, from another origin or under a name of its own that
resolves to it (DNS rebinding). The rule is that of FastMCP's `host_origin_protection="auto"`.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from fnmatch import fnmatchcase
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

from supervisor_mcp.errors import Problem

LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")
PORTS = {"http": 80, "https": 443}
# How many verdicts are remembered; headers have at most 64 KiB each.
REMEMBERED = 128


class Verdict(Enum):
    """What the headers of a request say about its sender."""

    ALLOWED = "allowed"
    # From a page of an origin in the list, which may also read the answer.
    LISTED_ORIGIN = "listed origin"
    FOREIGN_HOST = "foreign host"
    FOREIGN_ORIGIN = "foreign origin"


class Guard:
    """The rule for lists of hosts and origins; None where an operator gave no list.

    Both lists may hold patterns such as `*.example`. Hosts are checked where there is a list of
    them, and on loopback. There, and where there is any list, origins are checked too.
    """

    def __init__(self, hosts: Sequence[str] | None, origins: Sequence[str] | None) -> None:
        self._hosts = None if hosts is None else tuple(map(_name, hosts))
        self._origins = None if origins is None else tuple(map(_normal, origins))
        # The verdict on a request by server address, scheme, Host and Origin.
        self.judge = lru_cache(REMEMBERED)(self._judge)

    def _judge(self, server: str | None, scheme: str, host: bytes, origin: bytes | None) -> Verdict:
        asked = host.decode("latin-1")
        name = _name(asked)
        # How a socket for both families shows addresses of IPv4.
        reached = (server or "").removeprefix("::ffff:")
        on_loopback = _is_loopback(reached)
        if (on_loopback or self._hosts is not None) and not self._is_known(name, reached):
            return Verdict.FOREIGN_HOST
        if not origin:
            return Verdict.ALLOWED
        sent = _normal(origin.decode("latin-1"))
        if self._origins is not None and _matches(sent, self._origins):
            return Verdict.LISTED_ORIGIN
        local = on_loopback or _is_loopback(name)
        if not local and self._hosts is None:
            # The Host is not checked, so that the page of a rebound name would be "of this host".
            return Verdict.ALLOWED if self._origins is None else Verdict.FOREIGN_ORIGIN
        own = sent == _normal(f"{scheme}://{asked}")
        both_local = _is_loopback(_host_of(sent)) and _is_loopback(name)
        return Verdict.ALLOWED if own or both_local else Verdict.FOREIGN_ORIGIN

    def _is_known(self, name: str, reached: str) -> bool:
        """Whether a host is listed, this machine, or the very address that was reached.

        A probe asks an address; a rebound name is never one.
        """
        known = (*LOCAL_HOSTS, *(self._hosts or ()))
        return _matches(name, known) or (bool(name) and name == reached)


def refusal(verdict: Verdict, host: bytes, origin: bytes | None) -> Problem:
    """The problem of a foreign host or origin."""
    if verdict is Verdict.FOREIGN_HOST:
        return Problem(
            "host_allowed",
            f'unknown host "{_shown(host)}"',
            hint="Ask for the service by localhost or by the address that it listens on, or have"
            " the operator add the name to SUPERVISOR_ALLOWED_HOSTS.",
        )
    return Problem(
        "origin_allowed",
        f'requests of web pages from "{_shown(origin or b"")}" are not allowed',
        hint="Have the operator add the origin to SUPERVISOR_ALLOWED_ORIGINS.",
    )


def _shown(value: bytes) -> str:
    return value[:100].decode("latin-1")


def _name(host: str) -> str:
    """The host without its port and the brackets of an IPv6 address, in lower case."""
    host = host.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0] if host.count(":") == 1 else host


def _normal(origin: str) -> str:
    """An origin in lower case with its port; what is no origin stays as it is."""
    origin = origin.strip().rstrip("/").lower()
    try:
        parts = urlsplit(origin)
        port = parts.port or PORTS.get(parts.scheme)
    except ValueError:
        return origin
    if not parts.scheme or not parts.hostname or parts.path or parts.query or parts.fragment:
        return origin
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{port}" if port else "")


def _host_of(origin: str) -> str:
    try:
        return urlsplit(origin).hostname or ""
    except ValueError:
        return ""


def _matches(value: str, patterns: Sequence[str]) -> bool:
    # Brackets of an IPv6 address are a set of characters in a pattern.
    return any(value == pattern or fnmatchcase(value, pattern) for pattern in patterns)


def _is_loopback(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
