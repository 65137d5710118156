"""Which addresses the service connects to."""

from __future__ import annotations

import asyncio
import re
from ipaddress import IPv4Address, IPv6Address, ip_address

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor_mcp.background.addresses import NAT64, Allowed, is_public
from supervisor_mcp.background.wire import Limits, SystemResolver, Wire

SETTING = "SUPERVISOR_PROBE_ALLOWED"
NONE = Allowed(SETTING)
V4 = st.integers(0, 2**32 - 1).map(IPv4Address)
V6 = st.integers(0, 2**128 - 1).map(IPv6Address)
PRIVATE_V4 = st.sampled_from(
    [
        *("0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254"),
        *(
            "172.16.0.1",
            "172.31.255.255",
            "168.63.129.16",
            "192.0.0.8",
            "192.168.1.1",
            "198.18.0.1",
        ),
        *("192.0.2.1", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1"),
        "255.255.255.255",
    ]
).map(IPv4Address)
LOOPBACK_URLS = [
    "http://127.0.0.1/",
    "http://127.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0177.0.0.1/",
    "http://127.0.0.1./",
    "http://localhost/",
    "http://LOCALHOST:8080/",
    "http://[::1]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://0.0.0.0/",
    "http://0/",
    "http://[::]/",
    "http://\uff11\uff12\uff17.0.0.1/",
    "http://127\u30020\u30020\u30021/",
    "https://127.0.0.1/",
    "http://example.com@127.0.0.1/",
    "http://127.0.0.1#@example.com/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[fd00:ec2::254]/",
    "http://[fe80::1]/",
    "http://[::ffff:169.254.169.254]/",
    "http://[2002:7f00:1::]/",
    "http://[2001:0:7f00:1::]/",
]


@given(V4)
def test_what_the_library_knows_as_special_is_not_public(address: IPv4Address) -> None:
    special = (
        address.is_private
        or address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_reserved
        or address.is_unspecified
    )
    assert not (special and is_public(address))


@given(V6)
def test_only_global_addresses_are_public(address: IPv6Address) -> None:
    special = address.is_private or address.is_multicast or address.is_reserved
    assert not (special and is_public(address) and address not in NAT64)


@given(V4)
def test_an_ipv6_address_is_as_public_as_the_ipv4_address_that_it_reaches(
    address: IPv4Address,
) -> None:
    mapped = IPv6Address(0xFFFF << 32 | int(address))
    translated = IPv6Address(int(NAT64.network_address) | int(address))
    assert is_public(mapped) == is_public(translated) == is_public(address)


@given(PRIVATE_V4, V6)
def test_tunnels_are_never_public(address: IPv4Address, rest: IPv6Address) -> None:
    six_to_four = IPv6Address(0x2002 << 112 | int(address) << 80 | int(rest) % 2**80)
    teredo = IPv6Address(0x20010000 << 96 | int(rest) % 2**96)
    compatible = IPv6Address(int(address))
    assert not any(map(is_public, (six_to_four, teredo, compatible)))


@given(PRIVATE_V4)
def test_special_addresses_are_refused(address: IPv4Address) -> None:
    assert NONE.refused("host.example", [str(address)]) == address


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "8.8.8.8", "172.15.0.1", "172.32.0.1", "100.63.255.255", "2606:4700::1111",
     "2001:4860:4860::8888", "64:ff9b::808:808", "::ffff:8.8.8.8"],
)  # fmt: skip
def test_public_addresses_are_asked(address: str) -> None:
    assert NONE.refused("host.example", [address]) is None


@given(st.permutations(["1.1.1.1", "10.0.0.1", "8.8.8.8"]))
def test_one_private_address_refuses_a_host(addresses: list[str]) -> None:
    assert NONE.refused("host.example", addresses) == ip_address("10.0.0.1")


def test_an_allowed_network_is_asked_in_every_form_and_no_other_one() -> None:
    allowed = Allowed(SETTING, ["10.0.0.0/8", "192.168.1.7", "fd00::/8"])
    for address in ("10.9.8.7", "192.168.1.7", "fd12::1", "::ffff:10.1.1.1", "64:ff9b::a01:101"):
        assert allowed.refused("host.example", [address]) is None
    for address in ("192.168.1.8", "127.0.0.1", "fe80::1", "::ffff:127.0.0.1"):
        assert allowed.refused("host.example", [address]) == ip_address(address)


def test_an_allowed_name_has_any_address() -> None:
    allowed = Allowed(SETTING, ["search.internal", "*.corp.example"])
    for host in ("search.internal", "SEARCH.internal", "a.corp.example", "a.b.corp.example"):
        assert allowed.refused(host, ["10.0.0.1"]) is None
    for host in ("corp.example", "search.internal.evil.example", "xsearch.internal"):
        assert allowed.refused(host, ["10.0.0.1"]) is not None


@pytest.mark.parametrize("url", LOOPBACK_URLS)
def test_no_form_of_a_url_leads_to_this_machine_or_its_network(url: str) -> None:
    async def fetch() -> str | None:
        wire = Wire(NONE, Limits(2, 2, 1000), httpx2.create_ssl_context(), SystemResolver())
        async with httpx2.AsyncClient(transport=wire, trust_env=False) as http:
            try:
                await http.get(url)
            except Exception as error:
                return str(error)
        return None

    refusal = asyncio.run(fetch())
    assert refusal is not None
    assert re.search("not public|does not exist|^Invalid", refusal)
