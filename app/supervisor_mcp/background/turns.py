"""How many probes run at once: a number of all, and of one host."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

# A gateway with many servers that does not answer must leave room for the others.
OF_ONE_HOST = 4


class Turns:
    """Who waits for the limit of a host does not count for that of all."""

    def __init__(self, concurrency: int) -> None:
        self._all = asyncio.Semaphore(concurrency)
        self._of_one_host = min(OF_ONE_HOST, concurrency)
        self._hosts: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    @asynccontextmanager
    async def turn(self, url: str) -> AsyncIterator[None]:
        """Wait for a turn at the host of a URL."""
        host = urlsplit(url).netloc.lower()
        limit = self._hosts.setdefault(host, asyncio.Semaphore(self._of_one_host))
        async with limit, self._all:
            yield
