"""Why a remote could not be asked, in words; and which of that lies with the service itself."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator
from typing import Self

import httpx2

# Nothing is known about the remote where this machine lacks a route, sockets or a resolver.
OWN_ERRORS = {
    errno.ENETUNREACH: "the network is unreachable",
    errno.ENETDOWN: "the network is down",
    errno.EADDRNOTAVAIL: "no local address is available",
    errno.EMFILE: "too many files are open",
    errno.ENFILE: "too many files are open",
    errno.ENOBUFS: "no buffer space is available",
    errno.ENOMEM: "no memory is available",
}
OWN_LOOKUP_ERRORS = {socket.EAI_AGAIN, socket.EAI_SYSTEM, socket.EAI_MEMORY}
# By the kind of the error, the narrower kinds first.
TRANSPORT: dict[type[BaseException], str] = {
    httpx2.ConnectTimeout: "the connection timed out",
    httpx2.TimeoutException: "the answer timed out",
    httpx2.ConnectError: "the connection failed",
    httpx2.RemoteProtocolError: "the answer ended early or is not HTTP",
    BaseException: "the connection was closed before the answer was complete",
}


class Unanswered(Exception):  # noqa: N818  no defect, an outcome
    """A remote gave no usable answer.

    `own`: that says nothing about the remote, as the cause is on this machine, or may be.
    """

    def __init__(self, reason: str, *, own: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.own = own

    def without_frames(self) -> Self:
        """The same, as if it had not been raised; some libraries make a copy keep the frames."""
        return type(self)(self.reason, own=self.own)


class NotAllowed(Unanswered):
    """A host has an address that is not to be connected to."""


class TooLarge(Unanswered):
    """A remote sent more than the limit."""


def of_lookup(error: OSError) -> Unanswered:
    """Why a name has no address."""
    if isinstance(error, socket.gaierror) and error.errno not in OWN_LOOKUP_ERRORS:
        return Unanswered("the name of the host does not exist")
    return Unanswered("the name of the host cannot be looked up now", own=True)


def of_transport(error: BaseException) -> Unanswered:
    """Why a connection failed or ended, of an error of the HTTP library."""
    found = next(filter(None, map(_of_cause, _causes(error))), None)
    if found is not None:
        return found
    reason = next(reason for kind, reason in TRANSPORT.items() if isinstance(error, kind))
    return Unanswered(reason)


def _of_cause(cause: BaseException) -> Unanswered | None:
    """What an error of the system or of TLS says by itself."""
    if isinstance(cause, ssl.SSLCertVerificationError):
        return Unanswered(f"the TLS certificate is not valid: {cause.verify_message}")
    if isinstance(cause, ssl.SSLError):
        return Unanswered(f"the TLS handshake failed: {cause.reason or 'unknown error'}")
    if isinstance(cause, ConnectionRefusedError):
        return Unanswered("the connection was refused")
    if isinstance(cause, OSError) and cause.errno in OWN_ERRORS:
        return Unanswered(OWN_ERRORS[cause.errno], own=True)
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error, what caused it, and the members of groups, each once."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            yield one
            if isinstance(one, BaseExceptionGroup):
                waiting.extend(one.exceptions)
            waiting.extend((one.__context__, one.__cause__))
