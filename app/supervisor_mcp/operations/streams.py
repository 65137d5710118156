"""Streams: what is committed, as it comes, to any number of clients."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from functools import partial
from typing import Any

import msgspec

from supervisor_mcp import identity
from supervisor_mcp.db import Database
from supervisor_mcp.errors import Problem
from supervisor_mcp.identity import Identity
from supervisor_mcp.operations.clock import Clock, now
from supervisor_mcp.operations.stream_reader import Message, Queue, Reading, StreamReader

Arguments = Mapping[str, Any]


class Place:
    """A place for a client of a stream."""

    def __init__(self, name: str) -> None:
        self.name = name


class Places:
    """How many more clients this process takes, over all streams; in all and of one identity."""

    def __init__(self, limit: int, limit_per_identity: int) -> None:
        self._limit = limit
        self._limit_per_identity = limit_per_identity
        self._taken: set[Place] = set()

    def take(self) -> Place:
        """Take one for who asks. Raises `Problem` when there is none."""
        if len(self._taken) >= self._limit:
            raise Problem(
                "streams_within_limit",
                f"this process serves {self._limit} streams, which is its limit",
                hint="Connect again after the seconds in Retry-After, or raise SUPERVISOR_STREAMS.",
            )
        sender = identity.current.get()
        own = sum(place.name == sender.full_name for place in self._taken)
        if sender is not identity.ANYONE and own >= self._limit_per_identity:
            raise Problem(
                "identity_streams_within_limit",
                f'"{sender.name}" has {own} streams of this process, which is the limit',
                hint="End one of them, or have the operator raise SUPERVISOR_STREAMS_PER_IDENTITY.",
                params={"retry_after_seconds": 1},
            )
        place = Place(sender.full_name)
        self._taken.add(place)
        return place

    def give_back(self, place: Place | None) -> None:
        """Give one back."""
        if place is not None:
            self._taken.discard(place)


class Messages:
    """The messages for one client; an iterator that is closed at the end."""

    def __init__(self, messages: AsyncGenerator[Message, None], queue: Queue) -> None:
        self._messages = messages
        self._queue = queue

    def __aiter__(self) -> Messages:
        """Go on with the next message."""
        return self

    async def __anext__(self) -> Message:
        """Wait for the next message."""
        return await anext(self._messages)

    def leave(self) -> None:
        """End soon, because the client has left."""
        self._queue.leave()

    async def close(self) -> None:
        """End now."""
        await self._messages.aclose()


class Stream:
    """What one function of schema api reads, for clients that filter it by some arguments.

    A client that is behind the reader reads from the table by itself, until it is where the reader
    is; then it gets what the reader reads. No event is left out or comes twice where they meet,
    because both say which transactions they have seen.
    """

    def __init__(
        self,
        database: Database,
        function: str,
        filters: tuple[str, ...],
        places: Places,
        clock: Clock = now,
    ) -> None:
        self._database = database
        self._function = function
        self._unfiltered: Arguments = dict.fromkeys(filters)
        self._places = places
        self._clock = clock
        # By namespace: what one reads, none of another may get.
        self._readers: dict[str, StreamReader] = {}
        self._has_ended = False

    async def open(
        self, arguments: Arguments, wanted: Mapping[str, str], *, counted: bool = True
    ) -> Messages:
        """The messages after a position, by default from now on; the first comes at once.

        `arguments` are those of the function: filters, and the position as `last_event_id`.
        `wanted` says the same as the filters, by what an event is about. Raises `Problem`.
        """
        # Another task may take the messages later.
        caller = identity.current.get()
        place = self._places.take() if counted else None
        try:
            reading = await self._read(caller, arguments, None)
        except BaseException:
            self._places.give_back(place)
            raise
        queue = Queue(wanted)
        return Messages(self._messages(caller, arguments, reading, queue, place), queue)

    def end(self) -> None:
        """Let all clients end."""
        self._has_ended = True
        for reader in self._readers.values():
            reader.end()

    async def stop(self) -> None:
        """Let all clients end, and stop reading."""
        self.end()
        for reader in self._readers.values():
            await reader.stop()

    def _reader_of(self, namespace: str) -> StreamReader:
        """The reader for the clients of a namespace."""
        # One without clients costs nothing to make again.
        self._readers = {name: each for name, each in self._readers.items() if each.is_running}
        reader = self._readers.get(namespace)
        if reader is None:
            reader = StreamReader(self._function, partial(self._read_everything, namespace))
            if self._has_ended:
                reader.end()
            self._readers[namespace] = reader
        return reader

    async def _messages(
        self,
        caller: Identity,
        arguments: Arguments,
        reading: Reading,
        queue: Queue,
        place: Place | None,
    ) -> AsyncGenerator[Message, None]:
        reader = self._reader_of(caller.namespace)
        position = None
        try:
            with reader.running():
                yield Message(None if reading.events else reading.position)
                while not (queue.has_left or reader.has_ended):
                    for message in reading.messages():
                        yield message
                    has_moved = reading.position != position
                    position = reading.position
                    if reader.is_at(position):
                        with reader.joined(queue):
                            while messages := await reader.take(queue):
                                for message in messages:
                                    yield message
                                    position = message.id or position
                    elif (position == reading.until or not has_moved) and not await reader.turn():
                        yield Message(position)
                    reading = await self._read(
                        caller, {**arguments, "last_event_id": position}, reader.whole
                    )
        except Problem:
            # The client connects again, and gets the problem as the answer.
            return
        finally:
            self._places.give_back(place)

    async def _read(self, caller: Identity, arguments: Arguments, until: str | None) -> Reading:
        with identity.acting_as(caller):
            answer = await self._database.read_json(self._function, self._paged(arguments, until))
        return msgspec.json.decode(answer, type=Reading)

    async def _read_everything(
        self, namespace: str, last_event_id: str | None, until: str | None
    ) -> Reading:
        arguments = {**self._unfiltered, "last_event_id": last_event_id}
        with identity.acting_as(identity.serving(namespace)):
            (answer,) = await self._database.call_in_background(
                self._function, self._paged(arguments, until), read_only=True
            )
        return msgspec.json.decode(answer, type=Reading)

    def _paged(self, arguments: Arguments, until: str | None) -> Arguments:
        return {**arguments, "until": until, "limit": None, "now": self._clock()}


class Streams:
    """The streams of this process."""

    def __init__(self, database: Database, *, limit: int, limit_per_identity: int) -> None:
        self.limit = limit
        self._ends: list[Callable[[], None]] = []
        places = Places(limit, limit_per_identity)
        self.facts = Stream(database, "stream_facts", ("kind", "source", "subject"), places)
        self.alerts = Stream(database, "stream_alerts", ("rule", "labels"), places)

    def before_end(self, end: Callable[[], None]) -> None:
        """Call this too when clients are to end."""
        self._ends.append(end)

    def end(self) -> None:
        """Let all clients end: a stop does not wait for them."""
        for end in self._ends:
            end()
        self.facts.end()
        self.alerts.end()

    async def stop(self) -> None:
        """Let all clients end, and stop reading."""
        await self.facts.stop()
        await self.alerts.stop()
