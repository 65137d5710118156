from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator

import pytest

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
