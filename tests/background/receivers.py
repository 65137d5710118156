"""Subscribers: web servers that keep what they are sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.background import remotes


@dataclass(frozen=True)
class Request:
    """What was sent."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """The id of the message."""
        return self.headers["webhook-id"]

    @property
    def payload(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass
class Receiver:
    """A running receiver: where it is, and every request, also those that it refused."""

    url: str
    requests: list[Request] = field(default_factory=list)

    @property
    def facts(self) -> list[str]:
        """The ids of all facts, in the order in which they came."""
        return [fact["fact_id"] for each in self.requests for fact in each.payload["facts"]]


Answer = Callable[[Receiver], str]


def always(status: str) -> Answer:
    """The same answer to every request."""
    return lambda _: status


ACCEPTING = always("204 No Content")


@asynccontextmanager
async def receiver(answer: Answer = ACCEPTING, *, silent: bool = False) -> AsyncIterator[Receiver]:
    """Run a receiver, which keeps a request and then calls `answer`, unless it is silent."""
    made = Receiver("")

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head, body = await remotes.read_request(reader)
            first, *lines = head.splitlines()
            headers = dict(line.split(": ", 1) for line in lines if line)
            names = {name.lower(): value for name, value in headers.items()}
            made.requests.append(Request(first.split(" ")[1], names, body))
            if silent:
                await reader.read()
                return
            writer.write(f"HTTP/1.1 {answer(made)}\r\nContent-Length: 0\r\n\r\n".encode())
            await writer.drain()

    async with remotes.listening(handle) as port:
        made.url = f"http://127.0.0.1:{port}/hook"
        yield made
