"""SUPERVISOR_REDIS_URL: whether it can be read, and whether what it names can be used."""

from __future__ import annotations

from urllib.parse import urlsplit

from supervisor_mcp.cli.failure import USAGE, Failure


def check(url: str | None) -> None:
    """Raise Failure for a URL that cannot be read; it may hold a password."""
    if url is None:
        return
    from supervisor_mcp.cache.connection import Connection, Misconfigured

    try:
        Connection(url)
    except Misconfigured as error:
        raise _unusable(error) from None
    except ValueError:
        raise Failure(
            "SUPERVISOR_REDIS_URL is not a URL of a Redis.",
            USAGE,
            hint="Set it to a URL such as redis://:password@host:6379/0; options are those of"
            " redis-py.",
        ) from None


def refuse_unusable(url: str | None) -> None:
    """Raise Failure for a Redis that can never be used; one that does not answer yet is none."""
    from supervisor_mcp.cache.connection import ConnectionFailure, Misconfigured

    try:
        _examine(url)
    except Misconfigured as error:
        raise _unusable(error) from None
    except ConnectionFailure:
        # The service logs it, and goes on without.
        return


def fault(url: str | None) -> str | None:
    """Why the Redis cannot be used, in words without addresses. Raises Failure."""
    from supervisor_mcp.cache.connection import ConnectionFailure

    check(url)
    try:
        _examine(url)
    except ConnectionFailure as failure:
        return failure.reason
    return None


def without_login(url: str) -> str:
    """A Redis URL as it can be shown."""
    place = urlsplit(url).netloc
    return url.replace(place, place.rpartition("@")[2], 1)


def _examine(url: str | None) -> None:
    import asyncio

    from supervisor_mcp.cache.connection import Connection

    if url is not None:
        asyncio.run(Connection(url).examine())


def _unusable(error: Exception) -> Failure:
    reason = str(error)
    return Failure(
        f"SUPERVISOR_REDIS_URL cannot be used: {reason}.",
        USAGE,
        hint="Set it to the URL of one Redis or Valkey, the primary where there are replicas.",
    )
