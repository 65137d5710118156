"""Which addresses the service connects to: public ones, and those that a setting allows.

URLs come from anyone who may register a server or subscribe. A name that leads to this machine, to
its network or to the metadata of its cloud would make the service ask there in their place.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Address = IPv4Address | IPv6Address

# What is not public by the registries of IANA for special purposes, as the versions of the module
# `ipaddress` differ in what they know.
RESERVED_V4 = [
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by customers of a provider
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # platform of Azure
        "169.254.0.0/16",  # link-local, metadata of clouds
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocols
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
]
GLOBAL_V6 = IPv6Network("2000::/3")
RESERVED_V6 = [
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocols, Teredo among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
    )
]
# An IPv4 address in an IPv6 one: what resolvers of networks without IPv4 answer (RFC 6052).
NAT64 = IPv6Network("64:ff9b::/96")


class Allowed:
    """What a setting allows beside public addresses: networks, and names with any address."""

    def __init__(self, setting: str, entries: Sequence[str] = ()) -> None:
        self.setting = setting
        read = {entry: read_network(entry) for entry in entries}
        self._networks = [network for network in read.values() if network is not None]
        self._names = [entry.lower() for entry, network in read.items() if network is None]

    def covers_name(self, host: str) -> bool:
        """Whether the host may have any address."""
        return any(fnmatchcase(host.lower(), name) for name in self._names)

    def refused(self, host: str, addresses: Sequence[str]) -> Address | None:
        """The first of the addresses of a host that is neither public nor allowed."""
        if self.covers_name(host):
            return None
        return next(
            (
                address
                for address in map(ip_address, addresses)
                if not (is_public(address) or self._covers(reached(address)))
            ),
            None,
        )

    def _covers(self, address: Address) -> bool:
        return any(address in network for network in self._networks)


def read_network(entry: str) -> IPv4Network | IPv6Network | None:
    """The network that an entry of the setting names; None of a name.

    Raises ValueError for what has a slash and is no network.
    """
    try:
        return ip_network(entry)
    except ValueError:
        if "/" in entry:
            raise
        return None


def reached(address: Address) -> Address:
    """The address that packets to `address` reach: the IPv4 address within a mapped one."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def is_public(address: Address) -> bool:
    """Whether an address belongs to the internet at large."""
    there = reached(address)
    if isinstance(there, IPv4Address):
        return not any(there in network for network in RESERVED_V4)
    if there.scope_id is not None:
        return False
    return there in GLOBAL_V6 and not any(there in network for network in RESERVED_V6)
