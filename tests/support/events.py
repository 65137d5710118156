"""Server-sent events as a client reads them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True)
class Event:
    """What comes between two blank lines; one without data only moves the position."""

    id: str | None
    name: str | None
    data: Any


class Events:
    """The events of an answer, and the id of the last one that had one."""

    def __init__(self, answer: httpx.Response, last_event_id: str | None = None) -> None:
        self.answer = answer
        self.last_event_id = last_event_id
        self._blocks = _blocks(answer.iter_bytes())

    def __iter__(self) -> Iterator[Event]:
        """Go on with the next event, also with one without data."""
        return self

    def __next__(self) -> Event:
        fields = dict(line.split(b": ", 1) for line in next(self._blocks).splitlines())
        if b"id" in fields:
            self.last_event_id = fields[b"id"].decode()
        name = fields.get(b"event")
        return Event(
            self.last_event_id if b"id" in fields else None,
            None if name is None else name.decode(),
            json.loads(fields[b"data"]) if b"data" in fields else None,
        )

    def take(self, number: int) -> list[Event]:
        """The next events with data."""
        found: list[Event] = []
        while len(found) < number:
            event = next(self)
            found += [] if event.data is None else [event]
        return found


def _blocks(parts: Iterator[bytes]) -> Iterator[bytes]:
    unread = b""
    for part in parts:
        *blocks, unread = (unread + part).split(b"\n\n")
        yield from blocks


@contextmanager
def follow(
    http: httpx.Client, path: str, last_event_id: str | None = None, **params: str
) -> Iterator[Events]:
    """A stream, from its first event on."""
    headers = {} if last_event_id is None else {"Last-Event-ID": last_event_id}
    with http.stream("GET", path, params=params, headers=headers) as answer:
        if answer.status_code != 200:
            raise AssertionError(answer.read().decode())
        events = Events(answer, last_event_id)
        next(events)
        yield events
