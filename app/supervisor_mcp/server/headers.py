"""Headers that every answer has: browsers and caches do nothing with it but hand it over."""

from __future__ import annotations

from collections.abc import Iterable

Header = tuple[bytes, bytes]

SECURITY: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    # Pages of listed origins read answers by CORS, which this does not concern.
    (b"cross-origin-resource-policy", b"same-origin"),
)
# Where an answer does not say how long it is good for, a cache may guess.
UNCACHED: tuple[Header, ...] = (*SECURITY, (b"cache-control", b"no-store"))


def completed(headers: Iterable[Header], *more: Header) -> list[Header]:
    """The headers of an answer, with `more` and those that every answer has."""
    own = [*headers, *more]
    for name, _ in own:
        if name == b"cache-control":
            return [*own, *SECURITY]
    return [*own, *UNCACHED]
