from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest

from supervisor_mcp.cli import restarts
from supervisor_mcp.cli.failure import Failure
from supervisor_mcp.cli.restarts import Kept
from supervisor_mcp.embedded.errors import StartFailed
from supervisor_mcp.process import Server
from tests.support.waiting import eventually


def running(*command: str) -> Server:
    return Server(subprocess.Popen(command, stdin=subprocess.PIPE), "")


def failing(_: Server) -> Server:
    raise StartFailed("no room")


@pytest.fixture
def keep() -> Iterator[Callable[..., Kept[Server]]]:
    made: list[Kept[Server]] = []

    def keep(server: Server, again: Callable[[Server], Server]) -> Kept[Server]:
        made.append(Kept("The server", server, again, pauses=(0.0, 0.1)))
        return made[-1]

    yield keep
    for kept in made:
        kept.server.stop()


def test_a_server_that_runs_is_left_alone(keep: Callable[..., Kept[Server]]) -> None:
    kept = keep(running("sleep", "60"), failing)
    assert not kept.check()
    assert kept.server.ended() is None


def test_a_server_that_ended_is_started_again(keep: Callable[..., Kept[Server]]) -> None:
    ended = running("false")
    kept = keep(ended, lambda _: running("sleep", "60"))
    eventually(kept.check)
    assert kept.server is not ended
    assert kept.server.ended() is None
    assert not kept.check()


@pytest.mark.parametrize("again", [lambda _: running("false"), failing], ids=["ends", "fails"])
def test_a_server_that_keeps_ending_is_given_up(
    keep: Callable[..., Kept[Server]], again: Callable[[Server], Server]
) -> None:
    starts: list[Server] = []

    def counted(ended: Server) -> Server:
        starts.append(ended)
        return again(ended)

    kept = keep(running("false"), counted)

    def given_up() -> Failure | None:
        try:
            kept.check()
        except Failure as failure:
            return failure
        return None

    failure = eventually(given_up)
    assert failure is not None
    assert failure.detail == "The server ended 3 times in 5 minutes."
    assert len(starts) == 2


def test_a_server_stops_with_its_context() -> None:
    with Kept("The server", running("sleep", "60"), failing) as kept:
        server = kept.server
    assert server.ended() is not None


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The time that restarts see, in seconds: `now`."""
    made = SimpleNamespace(now=1_000.0)
    monkeypatch.setattr(restarts, "time", SimpleNamespace(monotonic=lambda: made.now))
    return made


@pytest.fixture
def ended() -> Server:
    process = subprocess.Popen(["false"])
    process.wait()
    return Server(process, "")


def test_each_start_waits_longer_than_the_one_before(
    clock: SimpleNamespace, ended: Server, caplog: pytest.LogCaptureFixture
) -> None:
    kept = Kept("The server", ended, failing)
    for pause in (0, 1, 2, 4):
        clock.now += pause - 0.01
        if pause:
            assert not kept.check()
        clock.now += 0.01
        assert not kept.check()
    assert caplog.messages == [
        "The server ended with status 1; it is started again in 0 s",
        "The server did not start again (no room); it is started again in 1 s",
        "The server did not start again (no room); it is started again in 2 s",
        "The server did not start again (no room); it is started again in 4 s",
        "The server did not start again (no room); it is started again in 8 s",
    ]
    clock.now += 7.99
    assert not kept.check()
    clock.now += 0.01
    with pytest.raises(Failure) as failed:
        kept.check()
    assert failed.value.detail == "The server ended 6 times in 5 minutes."


@pytest.mark.parametrize(("later", "is_started"), [(299.5, False), (300.0, True)])
def test_ends_of_five_minutes_ago_do_not_count(
    clock: SimpleNamespace, ended: Server, later: float, is_started: bool
) -> None:
    kept = Kept("The server", ended, lambda server: server)
    assert kept.check()
    clock.now += later
    assert kept.check() is is_started
