"""The credentials of a request, as its headers carry them."""

from __future__ import annotations

from collections.abc import Iterable
from hmac import compare_digest
from typing import Final

from supervisor_mcp.errors import Problem

HINT: Final = (
    "Send a key as Authorization: Bearer sk_… or as X-API-Key: sk_…, or a token of the issuer as"
    " Authorization: Bearer …."
)


def read(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The key or the token of a request; names of headers are in lower case. Raises `Problem`."""
    found = b""
    for name, value in headers:
        if name == b"authorization":
            sent = _bearer(value)
        elif name == b"x-api-key":
            sent = value.strip()
        else:
            continue
        if found and not compare_digest(found, sent):
            raise refused("the request has two different credentials", "Send one of them.")
        found = sent
    if not found:
        raise Problem("credentials_required", "the request has no credentials", hint=HINT)
    return found


def refused(reason: str, hint: str = HINT) -> Problem:
    """The problem of credentials that nobody has; a reason never repeats them."""
    return Problem("credentials_valid", reason, hint=hint)


def _bearer(value: bytes) -> bytes:
    scheme, _, sent = value.strip().partition(b" ")
    if scheme.lower() != b"bearer":
        raise refused("the scheme of Authorization is not Bearer")
    return sent.strip()
