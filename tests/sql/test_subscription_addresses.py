"""A subscription to an address that the service does not send to says so at once."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import pytest
from psycopg import Connection
from psycopg.types.json import Jsonb

from supervisor_mcp.background.addresses import RESERVED_V4, RESERVED_V6, is_public
from tests.sql.calls import NOW, ask


@pytest.mark.parametrize(
    "network", [*RESERVED_V4, *RESERVED_V6, "::/128", "::1/128", "fc00::/7", "fe80::/10"]
)
def test_an_address_that_is_not_public_is_stored_with_a_hint(
    db: Connection, network: IPv4Network | IPv6Network | str
) -> None:
    for address in (ip_network(network)[0], ip_network(network)[-1]):
        assert not is_public(address)
        assert address_hint(db, address).startswith(f"The address {address} is not public")


@pytest.mark.parametrize("address", ["9.255.255.255", "11.0.0.0", "2001:200::", "::ffff:1.1.1.1"])
def test_a_public_address_has_no_hint(db: Connection, address: str) -> None:
    assert is_public(ip_address(address))
    assert not address_hint(db, ip_address(address))


def test_an_ipv4_address_in_an_ipv6_one_has_the_hint_of_the_former(db: Connection) -> None:
    for address in ("::ffff:10.0.0.1", "64:ff9b::a00:1"):
        assert address_hint(db, ip_address(address))


def test_a_subscription_to_an_address_that_is_not_public_says_so(db: Connection) -> None:
    document = {"author": "ann", "url": "http://10.0.0.1:9000/hook", "facts": {}}
    answer = ask(db, "select api.subscribe('pager', %s, %s)", Jsonb(document), NOW)
    assert answer["hint"] == (
        "The address 10.0.0.1 is not public: nothing is sent there unless"
        " SUPERVISOR_DELIVERY_ALLOWED covers it."
    )


def address_hint(db: Connection, address: IPv4Address | IPv6Address) -> str:
    """The hint of a URL with an address; empty for none."""
    written = f"[{address}]" if address.version == 6 else str(address)
    row = db.execute(
        "select internal.address_hint(%s)", [f"http://{written}:8080/hook?a=1"]
    ).fetchone()
    assert row is not None
    return row[0] or ""
