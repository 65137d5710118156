"""The public keys of the issuer of tokens: fetched, kept for minutes, and rotated."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Any, Final

import httpx
import msgspec
from jwt import PyJWK
from jwt.exceptions import PyJWTError
from msgspec import Struct

from supervisor_mcp import identity
from supervisor_mcp.errors import Problem

logger = logging.getLogger(__name__)

# A key that the issuer withdraws is taken for this long.
KEPT_SECONDS: Final = 300.0
# From this age the set is fetched again beside the requests, which an issuer that is away for less
# than the difference does not hold up.
FRESH_SECONDS: Final = 150.0
# Between two fetches, whatever the key ids of the tokens that come; and after one that failed.
PAUSE_SECONDS: Final = 10.0
RETRY_SECONDS: Final = 1.0
FETCH_SECONDS: Final = 5.0
LARGEST_BYTES: Final = 256 * 1024
MOST_KEYS: Final = 100
TYPES: Final[Mapping[str, str]] = {"RS256": "RSA", "ES256": "EC", "EdDSA": "OKP"}


class KeySet:
    """A JSON Web Key Set (RFC 7517) at a URL.

    A key id that the set lacks is looked for once more, in a set that is fetched then.
    """

    def __init__(
        self,
        url: str,
        *,
        kept_seconds: float = KEPT_SECONDS,
        fresh_seconds: float = FRESH_SECONDS,
        pause_seconds: float = PAUSE_SECONDS,
    ) -> None:
        self._url = url
        self._kept = kept_seconds
        self._fresh = fresh_seconds
        self._pause = pause_seconds
        self._keys: list[PyJWK] = []
        self._kept_until = self._fresh_until = self._next_at = float("-inf")
        self._fetching: asyncio.Task[None] | None = None
        # Changes whenever a set was fetched: what was verified by an earlier one may not hold.
        self.generation = 0

    async def find(self, key_id: str | None, algorithm: str) -> PyJWK | None:
        """The key of this id, else the only one for the algorithm; None where there is none.

        Raises `Problem` when the issuer has not answered for minutes.
        """
        now = time.monotonic()
        if now >= self._kept_until:
            await self._fetch()
            if time.monotonic() >= self._kept_until:
                raise _issuer_away()
        elif now >= self._fresh_until:
            self._start()
        found = self._find(key_id, algorithm)
        if found is None:
            await self._fetch()
            found = self._find(key_id, algorithm)
        return found

    def _find(self, key_id: str | None, algorithm: str) -> PyJWK | None:
        keys = [key for key in self._keys if key.algorithm_name == algorithm]
        if key_id is None:
            return keys[0] if len(keys) == 1 else None
        return next((key for key in keys if key.key_id == key_id), None)

    async def _fetch(self) -> None:
        """Fetch the set, or wait until it is fetched, or nothing so soon after the last time."""
        task = self._start()
        if task is not None:
            # A caller that leaves must not end it for the others.
            await asyncio.shield(task)

    def _start(self) -> asyncio.Task[None] | None:
        if self._fetching is None and time.monotonic() >= self._next_at:
            self._next_at = time.monotonic() + self._pause
            self._fetching = asyncio.create_task(self._replace(), context=identity.of_service())
        return self._fetching

    async def _replace(self) -> None:
        asked_at = time.monotonic()
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                self._keys = _usable(await _download(self._url))
        except (httpx.HTTPError, TimeoutError, ValueError) as error:
            logger.warning(
                "the keys of the issuer of tokens cannot be fetched: %s",
                str(error) or type(error).__name__,
            )
            self._next_at = min(self._next_at, time.monotonic() + RETRY_SECONDS)
        else:
            self.generation += 1
            self._kept_until = asked_at + self._kept
            self._fresh_until = asked_at + self._fresh
        finally:
            self._fetching = None


class _Document(Struct):
    keys: list[Any]


async def _download(url: str) -> bytes:
    """The body at a URL. Raises httpx.HTTPError or ValueError."""
    parts = []
    size = 0
    async with (
        httpx.AsyncClient(timeout=FETCH_SECONDS) as http,
        http.stream("GET", url, headers={"Accept": "application/json"}) as answer,
    ):
        # A redirect is no success: where it leads nobody has checked.
        if not answer.is_success:
            raise ValueError(f"status {answer.status_code}")
        async for part in answer.aiter_bytes():
            parts.append(part)
            size += len(part)
            if size > LARGEST_BYTES:
                raise ValueError(f"more than {LARGEST_BYTES} bytes")
    return b"".join(parts)


def _usable(document: bytes) -> list[PyJWK]:
    """The keys of a set that can verify a token. Raises ValueError where it is no set."""
    keys = msgspec.json.decode(document, type=_Document).keys
    return [key for each in keys[:MOST_KEYS] for key in _read(each)]


def _read(sent: Any) -> list[PyJWK]:
    """A key, unless it is of a kind that is not known or not for signatures (RFC 7517, 5)."""
    # A secret in a public document is no secret.
    if not isinstance(sent, dict) or sent.get("kty") not in TYPES.values():
        return []
    if sent.get("use", "sig") != "sig" or "verify" not in sent.get("key_ops", ["verify"]):
        return []
    try:
        key = PyJWK(sent)
    except (PyJWTError, TypeError, ValueError, KeyError):
        return []
    return [key] if TYPES.get(key.algorithm_name) == key.key_type else []


def _issuer_away() -> Problem:
    return Problem(
        "issuer_available",
        "the issuer of tokens does not answer",
        hint="Send the request again after the seconds in Retry-After, or use a key.",
    )
