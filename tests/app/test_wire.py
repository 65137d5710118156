"""Commands and answers on an open connection to Redis, in the time of the test."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from supervisor_mcp.cache.wire import ConnectionFailure, Refusal, Wire

PING = b"*1\r\n$4\r\nPING\r\n"


@dataclass
class Timer:
    """What an event loop does at a time, unless it is cancelled."""

    at: float
    act: Callable[[], None]
    cancelled: bool = False

    def cancel(self) -> None:
        """Do nothing at that time."""
        self.cancelled = True


class Loop:
    """The part of an event loop that a wire needs, with time as a test sets it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[Timer] = []

    def time(self) -> float:
        """Now."""
        return self.now

    def create_future(self) -> asyncio.Future[object]:
        """A future of the loop of the test."""
        return asyncio.get_running_loop().create_future()

    def call_soon(self, act: Callable[[], None]) -> None:
        """Act at the end of the turn."""
        self.call_later(0, act)

    def call_later(self, delay: float, act: Callable[..., None], *given: object) -> Timer:
        """Act when `delay` is over."""
        self.timers.append(Timer(self.now + delay, lambda: act(*given)))
        return self.timers[-1]

    def go_on(self, until: float) -> None:
        """Let time pass."""
        while due := [each for each in self.timers if each.at <= until]:
            first = min(due, key=lambda each: each.at)
            self.timers.remove(first)
            self.now = max(self.now, first.at)
            if not first.cancelled:
                first.act()
        self.now = until


@dataclass
class Transport:
    """What the other side gets."""

    written: list[bytes] = field(default_factory=list)
    aborted: bool = False

    def set_protocol(self, _: object) -> None:
        """The wire itself."""

    def write(self, data: bytes) -> None:
        """Send."""
        self.written.append(data)

    def abort(self) -> None:
        """End the connection."""
        self.aborted = True


@pytest.fixture
def loop() -> Loop:
    return Loop()


@pytest.fixture
def transport() -> Transport:
    return Transport()


@pytest.fixture
def wire(loop: Loop, transport: Transport) -> Wire:
    opened: Any = SimpleNamespace(_writer=SimpleNamespace(transport=transport), _reader=None)
    return Wire(opened, 1.0, cast("asyncio.AbstractEventLoop", loop))


def failure(future: asyncio.Future[object]) -> tuple[str, str]:
    """What a caller gets, and the reason without addresses."""
    error = future.exception()
    assert isinstance(error, ConnectionFailure)
    return str(error), error.reason


async def test_commands_of_a_turn_go_out_in_one_write_and_those_of_the_next_in_another(
    wire: Wire, loop: Loop, transport: Transport
) -> None:
    wire.send("PING")
    wire.send("PING")
    assert transport.written == []
    loop.go_on(0.1)
    wire.send("PING")
    loop.go_on(0.2)
    assert transport.written == [PING + PING, PING]


async def test_answers_are_in_the_order_of_the_commands_however_they_arrive(wire: Wire) -> None:
    one, two, three = (wire.send("PING") for _ in range(3))
    two.cancel()
    wire.data_received(b"+on")
    assert not one.done()
    wire.data_received(b"e\r\n+two\r\n$-1\r\n")
    assert (one.result(), three.result()) == (b"one", None)
    assert not wire.lost


async def test_a_refused_command_is_an_error_with_its_code(wire: Wire) -> None:
    refused, answered = wire.send("PING"), wire.send("PING")
    wire.data_received(b"-NOPERM this user may not\r\n+PONG\r\n")
    assert failure(refused) == ("NOPERM this user may not", "Redis answers NOPERM")
    error = refused.exception()
    assert isinstance(error, Refusal)
    assert error.code == "NOPERM"
    assert answered.result() == b"PONG"


async def test_what_redis_says_unasked_is_no_answer(wire: Wire) -> None:
    asked = wire.send("PING")
    wire.data_received(b">2\r\n+invalidate\r\n+x\r\n+PONG\r\n")
    assert asked.result() == b"PONG"


@pytest.mark.parametrize("data", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"+PONG\r\n+PONG\r\n"])
async def test_what_is_no_answer_ends_the_connection(
    wire: Wire, transport: Transport, data: bytes
) -> None:
    asked = wire.send("PING")
    wire.data_received(data)
    assert transport.aborted
    assert wire.lost
    if data.startswith(b"HTTP"):
        assert failure(asked) == ("the answer is not Redis's protocol",) * 2


async def test_an_answer_may_take_as_long_as_is_allowed(
    wire: Wire, loop: Loop, transport: Transport
) -> None:
    asked = wire.send("PING")
    loop.go_on(0.5)
    wire.send("PING")
    loop.go_on(0.99)
    assert not wire.lost
    loop.go_on(1.0)
    assert transport.aborted
    assert failure(asked) == ("no answer within 1000 ms",) * 2


async def test_each_command_has_its_own_time(wire: Wire, loop: Loop) -> None:
    wire.send("PING")
    loop.go_on(0.5)
    asked = wire.send("PING")
    wire.data_received(b"+PONG\r\n")
    loop.go_on(1.49)
    assert not wire.lost
    loop.go_on(1.5)
    assert failure(asked)[0] == "no answer within 1000 ms"


async def test_an_answer_in_the_last_moment_is_one(wire: Wire, loop: Loop) -> None:
    asked = wire.send("PING")
    loop.go_on(0.9)
    wire.data_received(b"+PONG\r\n")
    loop.go_on(60.0)
    assert asked.result() == b"PONG"
    assert not wire.lost
    assert loop.timers == []


async def test_after_a_pause_the_time_begins_with_the_command(wire: Wire, loop: Loop) -> None:
    wire.send("PING")
    wire.data_received(b"+PONG\r\n")
    loop.go_on(60.0)
    wire.send("PING")
    loop.go_on(60.9)
    assert not wire.lost
    loop.go_on(61.0)
    assert wire.lost


async def test_another_limit_holds_from_the_next_command_on(wire: Wire, loop: Loop) -> None:
    wire.send("PING")
    wire.data_received(b"+PONG\r\n")
    wire.expect(0.05)
    asked = wire.send("PING")
    loop.go_on(0.049)
    assert not wire.lost
    loop.go_on(0.051)
    assert failure(asked)[0] == "no answer within 50 ms"


async def test_many_commands_are_watched_by_one_timer(wire: Wire, loop: Loop) -> None:
    for _ in range(10):
        wire.send("PING")
    loop.go_on(0.1)
    assert len(loop.timers) == 1


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        (None, "the connection was lost"),
        (OSError("reset by 10.0.0.1"), "the connection was lost: reset by 10.0.0.1"),
    ],
)
async def test_a_lost_connection_fails_what_waits_and_what_comes(
    wire: Wire, loop: Loop, transport: Transport, error: Exception | None, detail: str
) -> None:
    asked, left = wire.send("PING"), wire.send("PING")
    left.cancel()
    wire.connection_lost(error)
    assert failure(asked) == (detail, "the connection was lost")
    assert failure(wire.send("PING")) == ("the connection is lost",) * 2
    loop.go_on(60.0)
    assert transport.written == []


async def test_a_connection_that_is_closed_fails_what_waits(
    wire: Wire, transport: Transport
) -> None:
    asked = wire.send("PING")
    wire.abort()
    assert transport.aborted
    assert failure(asked) == ("the connection was closed",) * 2
