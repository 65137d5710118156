"""Whether others than this machine can reach the service: not without authentication."""

from __future__ import annotations

import socket
from ipaddress import IPv6Address, ip_address

from supervisor_mcp.config import Settings

HINT = (
    "Set SUPERVISOR_AUTHENTICATION=on and SUPERVISOR_ADMIN_KEY_FILE to a file with a key of at"
    " least 32 characters, or SUPERVISOR_HOST to 127.0.0.1."
)


class ExposedError(ValueError):
    """The service would let in everybody who reaches it."""

    def __init__(self, host: str) -> None:
        super().__init__(
            f"the service does not listen on {host or 'every address'} while authentication is off:"
            " others than this machine could reach it"
        )


def refuse_exposure(settings: Settings, host: str) -> None:
    """Refuse a host that others reach while authentication is off. Raises `ExposedError`."""
    if settings.authentication == "off" and not _is_loopback(host):
        raise ExposedError(host)


def refuse_exposed_socket(settings: Settings, listener: socket.socket) -> None:
    """Do the same for the address that a socket is bound to. Raises `ExposedError`."""
    refuse_exposure(settings, str(listener.getsockname()[0]))


def _is_loopback(host: str) -> bool:
    """Whether every address of a host is one of this machine alone; an unknown host has none."""
    try:
        found = socket.getaddrinfo(
            host or None, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except OSError:
        return False
    return all(_is_own(str(address[0])) for *_, address in found)


def _is_own(address: str) -> bool:
    own = ip_address(address)
    if isinstance(own, IPv6Address) and own.ipv4_mapped is not None:
        own = own.ipv4_mapped
    return own.is_loopback
