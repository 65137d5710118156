"""A subscription takes exactly the URLs that the sender can send to."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import urlsplit

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Connection
from psycopg.types.json import Jsonb

from tests.sql.calls import ask

FAULTS = "select internal.subscription_faults('pager', %s)"
NUMBER = re.compile(r"[0-9]+")
HOSTS = st.one_of(
    st.sampled_from(
        [
            *(
                "hooks.example.com",
                "localhost",
                "my_host",
                "xn--bcher-kva.example.",
                "a..b",
                ".a",
                "-",
            ),
            *(
                "127.0.0.1",
                "127.0.0.01",
                "1.2.3",
                "256.1.1.1",
                "1",
                "a.1",
                "1.a",
                "0x7f.1",
                "a" * 64,
            ),
            *("[::.0]", "[::1.2.3]"),
            *("[::1]", "[::ffff:1.2.3.4]", "[1::2::3]", "[fe80::1%25eth0]", "[1.2.3.4]", "[v1.a]"),
            *(
                "[",
                "]",
                "[]",
                "[::1",
                "::1",
                "[::1]a",
                "a[::1]",
                "ann@host",
                "ann:key@host",
                "@host",
            ),
        ]
    ),
    st.text("a1.-_:[]@%", max_size=12),
    st.text("12.", max_size=12),
    st.text("f0:.", max_size=20).map("[{}]".format),
)
PORTS = st.sampled_from(
    ["", ":", ":80", ":080", ":0", ":65535", ":65536", ":99999", ":-1", ":8a", ":1:2"]
)
PATHS = st.sampled_from(["", "/", "?a=b", "#a", "/a@b:99999", "/a b", "/ä", "/[", "\\@a"])
SCHEMES = st.sampled_from(["http://", "https://", "ftp://", "http:/", "//", "", "http:///"])


def is_sent_to(url: str) -> bool:
    """Whether the parsers of Python and of the sender find one host and port in a URL."""
    if not re.fullmatch(r"https?://[!-~]+", url):
        return False
    try:
        parts, read = urlsplit(url), httpx2.URL(url)
        host, port = parts.hostname or "", parts.port
        if "@" in parts.netloc or port == 0 or read.raw_host.decode() != host:
            return False
        if parts.netloc.startswith("["):
            return re.fullmatch(r"\[[^%]*\](:[0-9]*)?", parts.netloc) is not None and bool(
                IPv6Address(host)
            )
        if NUMBER.fullmatch(host.removesuffix(".").rpartition(".")[2]):
            return bool(IPv4Address(host))
        # The codec is that of look-ups.
        host.encode("idna")
    except (ValueError, httpx2.InvalidURL):
        return False
    return re.fullmatch(r"[a-z0-9_.-]*[a-z0-9_-]\.?", host) is not None


@given(scheme=SCHEMES, host=HOSTS, port=PORTS, path=PATHS)
@settings(
    max_examples=130, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_url_is_refused_exactly_where_nothing_can_be_sent_to_it(
    db: Connection, scheme: str, host: str, port: str, path: str
) -> None:
    url = scheme + host + port + path
    faults = ask(db, FAULTS, Jsonb({"author": "ann", "url": url, "facts": {}}))
    assert (faults is None) == is_sent_to(url), url


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com/pager?key=1#a",
        "http://my_service:8080",
        "http://[::1]:9093/",
        "http://10.20.0.1",
    ],
)
def test_usual_urls_are_taken(db: Connection, url: str) -> None:
    assert ask(db, FAULTS, Jsonb({"author": "ann", "url": url, "facts": {}})) is None
