"""Reading what is committed to a table, once for all clients of this process."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import NamedTuple

from msgspec import Raw, Struct

from supervisor_mcp import identity
from supervisor_mcp.errors import Problem

logger = logging.getLogger(__name__)

# How long after a commit its events come, at most.
INTERVAL_SECONDS = 1.0
# A client that has left is seen when something is sent to it.
PING_SECONDS = 10.0
# What waits for a client that is slower; beyond that it reads from the table by itself.
MOST_MESSAGES = 1000
MOST_BYTES = 4 * 1024 * 1024


class Message(NamedTuple):
    """What a client receives: an event, what it misses, or, without data, a sign of life.

    `id` is the position of a client that has it; None leaves the position as it is. `about` is
    what filters compare; None passes all of them.
    """

    id: str | None
    data: bytes | None = None
    about: Mapping[str, str | None] | None = None


class Event(Struct):
    """What is sent to the clients that ask for what it is about."""

    id: str
    about: dict[str, str | None]
    data: Raw


class Reading(Struct):
    """What a function of schema api answers that reads a stream."""

    events: list[Event]
    position: str
    until: str
    missing: Raw

    def messages(self) -> Iterator[Message]:
        """What a client gets that has asked for this reading."""
        if bytes(self.missing) != b"null":
            yield Message(None, bytes(self.missing))
        for event in self.events:
            yield Message(event.id, bytes(event.data), event.about)


# A reading after a position, up to another one or to what is committed.
Read = Callable[[str | None, str | None], Awaitable[Reading]]


class Queue:
    """Messages that wait for a client. When too many do, it drops them and is full."""

    def __init__(self, wanted: Mapping[str, str]) -> None:
        self._wanted = wanted
        self._messages: deque[Message] = deque()
        self._bytes = 0
        self._filled = asyncio.Event()
        self.is_full = False
        self.has_left = False

    def put(self, message: Message) -> None:
        """Let a message wait that the client asks for, unless too much does."""
        about = message.about
        if about is not None and any(about.get(n) != text for n, text in self._wanted.items()):
            return
        self._bytes += len(message.data or b"")
        if self.is_full or len(self._messages) >= MOST_MESSAGES or self._bytes > MOST_BYTES:
            self.is_full = True
            self._messages.clear()
        else:
            self._messages.append(message)
        self._filled.set()

    def empty(self) -> None:
        """Begin again: the client reads by itself what was dropped."""
        self._messages.clear()
        self._bytes = 0
        self.is_full = False

    def leave(self) -> None:
        """Note that the client has left."""
        self.has_left = True
        self.wake()

    def wake(self) -> None:
        """End a `take` that waits."""
        self._filled.set()

    async def take(self, seconds: float) -> Sequence[Message]:
        """What waits, or comes within some seconds."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._filled.wait(), seconds)
        self._filled.clear()
        taken, self._messages, self._bytes = self._messages, deque(), 0
        return taken


class StreamReader:
    """Reads about once a second while there are clients, and passes on to them what comes.

    What it passes on continues the position `whole`. A client joins when it is there.
    """

    def __init__(self, name: str, read: Read) -> None:
        self._name = name
        self._read = read
        self._clients = 0
        self._queues: set[Queue] = set()
        self._task: asyncio.Task[None] | None = None
        self._due = asyncio.Event()
        self._turn = asyncio.Event()
        self._reached: str | None = None
        self._is_failing = False
        # The last position at which it had all that was committed; None before the first.
        self.whole: str | None = None
        self.has_ended = False

    @contextmanager
    def running(self) -> Iterator[None]:
        """Read for one more client."""
        self._clients += 1
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(
                self._follow(), name=self._name, context=identity.of_service()
            )
        self._due.set()
        try:
            yield
        finally:
            self._clients -= 1

    @contextmanager
    def joined(self, queue: Queue) -> Iterator[None]:
        """Put what comes into a queue."""
        queue.empty()
        self._queues.add(queue)
        try:
            yield
        finally:
            self._queues.discard(queue)

    @property
    def is_running(self) -> bool:
        """Whether there are clients, or were a moment ago."""
        return self._clients > 0 or (self._task is not None and not self._task.done())

    def is_at(self, position: str) -> bool:
        """Whether what comes next continues a position."""
        return position == self.whole == self._reached

    async def take(self, queue: Queue) -> Sequence[Message]:
        """What waits for a client, else a sign of life.

        Nothing when messages were dropped, or when the stream ends.
        """
        messages = await queue.take(PING_SECONDS)
        if queue.is_full or queue.has_left or self.has_ended:
            return ()
        return messages or (Message(self.whole if self.whole == self._reached else None),)

    async def turn(self) -> bool:
        """Wait for the end of a reading; False when it takes too long."""
        try:
            await asyncio.wait_for(self._turn.wait(), PING_SECONDS)
        except TimeoutError:
            return False
        return True

    def end(self) -> None:
        """Let all clients end."""
        self.has_ended = True
        self._turn.set()
        for queue in self._queues:
            queue.wake()

    async def stop(self) -> None:
        """Let all clients end, and stop reading."""
        self.end()
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _follow(self) -> None:
        while self._clients and not self.has_ended:
            self._due.clear()
            try:
                await self._advance()
                self._is_failing = False
            except Problem as problem:
                if not self._is_failing:
                    logger.warning(
                        "%s cannot be read, trying again: %s", self._name, problem.detail
                    )
                self._is_failing = True
            except Exception:
                logger.exception("%s cannot be read", self._name)
            ended, self._turn = self._turn, asyncio.Event()
            ended.set()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._due.wait(), INTERVAL_SECONDS)
        self._reached = self.whole = None

    async def _advance(self) -> None:
        """Read what has been committed, and pass it on."""
        until = None
        while True:
            reading = await self._read(self._reached, until)
            for message in reading.messages():
                for queue in self._queues:
                    queue.put(message)
            has_moved = reading.position != self._reached
            self._reached = reading.position
            until = reading.until
            if reading.position == until:
                self.whole = until
            # A standby may be behind the server that was read before.
            if reading.position == until or not has_moved:
                return
