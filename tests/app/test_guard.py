"""Which Host and Origin headers are answered."""

from __future__ import annotations

import asyncio

import pytest
from fastmcp.server.http import HostOriginGuardMiddleware
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message, Receive, Scope, Send

from supervisor_mcp.server.guard import Guard, Verdict, refusal

ALLOWED = Verdict.ALLOWED
LISTED = Verdict.LISTED_ORIGIN
FOREIGN_HOST = Verdict.FOREIGN_HOST
FOREIGN_ORIGIN = Verdict.FOREIGN_ORIGIN

LOCAL_NAMES = ["localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "[::1]", "0.0.0.0", ""]
OTHER_NAMES = ["10.0.0.5", "[fe80::1]", "app.example", "evil.example", "localhost.evil.example"]
NAMES = st.sampled_from([*LOCAL_NAMES, *OTHER_NAMES, "[", "a:b:c"])
ENDINGS = st.sampled_from(["", ":80", ":8080", ":x"])
HOSTS = st.builds("{}{}".format, NAMES, ENDINGS)
ORIGINS = st.one_of(
    st.sampled_from(["null", "", "https://", "http://[", "*"]),
    st.builds("{}://{}{}{}".format, st.sampled_from(["http", "https"]), NAMES, ENDINGS,
              st.sampled_from(["", "/", "/path"])),
)  # fmt: skip
HOST_LISTS: list[tuple[str, ...] | None] = [
    None,
    ("app.example",),
    ("*.example",),
    ("*",),
    ("app.example:8080", "10.0.0.5"),
]
ORIGIN_LISTS: list[tuple[str, ...] | None] = [
    None,
    ("https://app.example",),
    ("http://*.example",),
    ("*",),
    ("null",),
]
SERVERS = ["127.0.0.1", "::1", "10.0.0.5", "192.168.0.9", "localhost"]


def judge(
    host: str,
    origin: str | None = None,
    *,
    server: str = "127.0.0.1",
    hosts: tuple[str, ...] | None = None,
    origins: tuple[str, ...] | None = None,
) -> Verdict:
    sent = None if origin is None else origin.encode()
    return Guard(hosts, origins).judge(server, "http", host.encode(), sent)


def verdict_of_the_library(
    server: str,
    host: str,
    origin: str,
    hosts: tuple[str, ...] | None,
    origins: tuple[str, ...] | None,
) -> int:
    """The status with which FastMCP's guard answers."""
    sent: list[int] = []

    async def application(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            sent.append(message["status"])

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    scope = {
        "type": "http",
        "scheme": "http",
        "server": (server, 8080),
        "headers": [(b"host", host.encode()), (b"origin", origin.encode())],
    }
    guard = HostOriginGuardMiddleware(application, hosts, origins, mode="auto")
    asyncio.run(guard(scope, receive, send))
    return sent[0]


STATUS = {ALLOWED: 200, LISTED: 200, FOREIGN_HOST: 421, FOREIGN_ORIGIN: 403}


@given(
    server=st.sampled_from(SERVERS),
    host=HOSTS,
    origin=ORIGINS,
    hosts=st.sampled_from(HOST_LISTS),
    origins=st.sampled_from(ORIGIN_LISTS),
)
def test_the_rule_is_that_of_fastmcp(
    server: str,
    host: str,
    origin: str,
    hosts: tuple[str, ...] | None,
    origins: tuple[str, ...] | None,
) -> None:
    verdict = judge(host, origin, server=server, hosts=hosts, origins=origins)
    assert STATUS[verdict] == verdict_of_the_library(server, host, origin, hosts, origins)


@pytest.mark.parametrize("server", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("host", ["localhost", "localhost:8080", "127.0.0.1:1", "[::1]:8080"])
def test_on_loopback_this_machine_is_known_by_its_names(server: str, host: str) -> None:
    assert judge(host, server=server) is ALLOWED


@pytest.mark.parametrize("server", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8080", "", "localhost.evil.example"]
)
def test_on_loopback_another_name_is_foreign(server: str, host: str) -> None:
    assert judge(host, server=server) is FOREIGN_HOST


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost.evil.example"]
)
def test_on_loopback_a_page_of_elsewhere_is_foreign(origin: str) -> None:
    assert judge("localhost", origin) is FOREIGN_ORIGIN


@pytest.mark.parametrize("origin", ["http://localhost:3000", "http://127.0.0.1", "http://[::1]:9"])
def test_on_loopback_a_page_of_this_machine_is_allowed(origin: str) -> None:
    assert judge("localhost:8080", origin) is ALLOWED


def test_on_another_address_without_lists_everything_is_allowed() -> None:
    assert judge("evil.example", "https://evil.example", server="10.0.0.5") is ALLOWED


def test_a_page_of_a_name_of_this_machine_is_checked_on_every_address() -> None:
    assert judge("localhost", "https://evil.example", server="10.0.0.5") is FOREIGN_ORIGIN


@pytest.mark.parametrize("server", ["10.0.0.5", "::ffff:10.0.0.5"])
def test_a_probe_may_ask_the_address_that_it_reaches(server: str) -> None:
    assert judge("10.0.0.5:8080", server=server, hosts=("app.example",)) is ALLOWED
    assert judge("10.0.0.6:8080", server=server, hosts=("app.example",)) is FOREIGN_HOST


def test_a_listed_host_is_answered_and_its_own_page_too() -> None:
    hosts = ("app.example",)
    assert judge("app.example", server="10.0.0.5", hosts=hosts) is ALLOWED
    assert judge("app.example", "http://app.example", server="10.0.0.5", hosts=hosts) is ALLOWED
    evil = judge("app.example", "http://evil.example", server="10.0.0.5", hosts=hosts)
    assert evil is FOREIGN_ORIGIN


@pytest.mark.parametrize(
    "origin",
    [
        *("https://app.example", "https://app.example:443/", "HTTPS://APP.EXAMPLE"),
        "http://plain.example:80",
    ],
)
def test_a_listed_origin_is_known_in_every_spelling(origin: str) -> None:
    origins = ("https://app.example", "http://plain.example")
    assert judge("localhost", origin, origins=origins) is LISTED


@pytest.mark.parametrize("behind", ["?x", "#x", "/x", "?x#x"])
def test_what_has_more_than_an_origin_is_none(behind: str) -> None:
    origins = ("https://app.example",)
    assert judge("localhost", f"https://app.example{behind}", origins=origins) is FOREIGN_ORIGIN


def test_the_scheme_and_port_of_an_origin_count() -> None:
    origins = ("https://app.example",)
    assert judge("localhost", "http://app.example", origins=origins) is FOREIGN_ORIGIN
    assert judge("localhost", "https://app.example:8443", origins=origins) is FOREIGN_ORIGIN


def test_an_origin_of_an_ipv6_address_can_be_listed() -> None:
    assert judge("localhost", "http://[fe80::1]:3000", origins=("http://[fe80::1]:3000",)) is LISTED


@pytest.mark.parametrize(
    ("verdict", "origin", "slug", "detail"),
    [
        (FOREIGN_HOST, None, "host_allowed", f'unknown host "{"h" * 100}"'),
        (
            FOREIGN_ORIGIN,
            b"http://evil.example",
            "origin_allowed",
            'requests of web pages from "http://evil.example" are not allowed',
        ),
        (
            FOREIGN_ORIGIN,
            None,
            "origin_allowed",
            'requests of web pages from "" are not allowed',
        ),
    ],
)
def test_what_is_refused_is_named_and_not_at_length(
    verdict: Verdict, origin: bytes | None, slug: str, detail: str
) -> None:
    problem = refusal(verdict, b"h" * 5000, origin)
    assert (problem.slug, problem.detail) == (slug, detail)
