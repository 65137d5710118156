"""How far a standby is behind, from what both servers say."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor_mcp.db import Database
from supervisor_mcp.errors import Problem
from supervisor_mcp.operations import replication
from supervisor_mcp.operations.replication import Lag, Replication, Server
from tests.support.waiting import eventually_async

# What a primary writes in each second.
WRITTEN = st.lists(st.integers(min_value=0, max_value=5), min_size=1, max_size=30)


@given(WRITTEN, st.integers(min_value=0, max_value=150))
def test_the_lag_is_the_age_of_the_oldest_position_that_is_missing(
    written: list[int], replayed: int
) -> None:
    lag = Lag()
    position = 0
    missing = []
    for second, size in enumerate(written):
        position += size
        lag.reach(second, position)
        if position > replayed:
            missing.append(second)
    now = len(written)
    assert lag.replay(now, replayed) == (now - missing[0] if missing else 0)


def test_a_standby_that_has_caught_up_is_not_behind() -> None:
    lag = Lag()
    lag.reach(1, 10)
    assert lag.replay(5, 9) == 4
    assert lag.replay(6, 10) == 0


def test_a_lag_of_hours_is_still_known() -> None:
    lag = Lag()
    for second in range(10_000):
        lag.reach(second, second + 1)
    assert len(lag._missing) == 3600
    assert lag.replay(10_000, 0) == 10_000
    assert lag.replay(10_000, 10_000) == 0


def test_another_primary_with_a_shorter_log_is_followed() -> None:
    lag = Lag()
    lag.reach(1, 100)
    lag.reach(2, 50)
    assert lag.replay(3, 60) == 0


def test_another_primary_lacks_what_came_last_alone() -> None:
    lag = Lag()
    for second, position in ((1, 100), (2, 200), (3, 150)):
        lag.reach(second, position)
    assert lag.replay(4, 120) == 1


ALL_BY_PRIMARY = "so the primary answers everything"


@pytest.mark.parametrize(
    ("away", "lag", "reads", "reason"),
    [
        ("", None, False, f"the standby has not answered yet, {ALL_BY_PRIMARY}"),
        ("", 0.0, True, None),
        ("", 5.0, True, None),
        ("", 5.25, False, f"the standby is 5.2 s behind, more than 5 s, {ALL_BY_PRIMARY}"),
        ("standby", None, False, f"the standby does not answer, {ALL_BY_PRIMARY}"),
        ("standby", 0.0, False, f"the standby does not answer, {ALL_BY_PRIMARY}"),
        ("primary standby", 0.0, False, f"the standby does not answer, {ALL_BY_PRIMARY}"),
        ("primary", None, False, f"the standby has not answered yet, {ALL_BY_PRIMARY}"),
        (
            "primary",
            7.04,
            True,
            "the primary does not answer: the standby answers reads, and is 7.0 s behind",
        ),
    ],
)
async def test_which_server_answers_depends_on_who_is_away_and_on_the_lag(
    nowhere: Database, away: str, lag: float | None, *, reads: bool, reason: str | None
) -> None:
    both = Replication(nowhere, nowhere, most_lag_seconds=5)
    for name in away.split():
        assert await getattr(both, name).locate() is None
    both.lag_seconds = lag
    assert (both.reads_from_standby, both.reason) == (reads, reason)
    known = {} if lag is None else {"standby_lag_seconds": lag}
    is_up = lag is not None and "standby" not in away
    assert both.state() == {
        "standby_up": float(is_up),
        "reads_from_standby": float(reads),
        **known,
    }


async def test_a_server_that_goes_away_and_comes_back_is_logged_once_each(
    nowhere: Database, present: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    server = Server(present, "standby")
    assert not server.is_away
    assert isinstance(await server.locate(), int)
    assert not await server.is_lost()
    server.database = nowhere
    assert await server.is_lost()
    for _ in range(2):
        assert await server.locate() is None
    assert server.is_away
    server.database = present
    # What is known is not asked for.
    assert await server.is_lost()
    assert await server.locate()
    assert not server.is_away
    assert await server.locate()
    assert [record.getMessage() for record in caplog.records] == [
        "the standby does not answer",
        "the standby answers again",
    ]


@pytest.fixture
def mute_port() -> Iterator[int]:
    """Where connections are taken, and nobody says anything."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


async def test_a_server_that_says_nothing_in_time_does_not_answer(
    mute_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replication, "ANSWER_SECONDS", 0.05)
    url = f"postgresql://postgres@127.0.0.1:{mute_port}/postgres"
    database = Database(url, pool_size=1, statement_timeout_seconds=1)
    assert await Server(database, "standby").locate() is None
    await database.close()


async def test_a_call_is_answered_or_fails_as_it_does(nowhere: Database) -> None:
    server = Server(nowhere, "standby")

    async def answer(database: Database) -> Database:
        return database

    async def fail(_database: Database) -> None:
        raise KeyError

    assert await server.answer(answer) is nowhere
    with pytest.raises(KeyError):
        await server.answer(fail)


async def test_a_call_ends_when_its_server_goes_away(nowhere: Database) -> None:
    server = Server(nowhere, "standby")
    ended = asyncio.Event()

    async def wait(_database: Database) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    calling = asyncio.create_task(server.answer(wait))
    await asyncio.sleep(0)
    await server.locate()
    with pytest.raises(Problem, match="unavailable"):
        await calling
    await ended.wait()


async def test_a_standby_that_is_the_primary_is_not_behind(
    nowhere: Database, present: Database
) -> None:
    both = Replication(present, present, most_lag_seconds=5)
    await both._follow_primary()
    assert len(both._lag._missing) == 1
    await both._follow_standby()
    assert (both.lag_seconds, len(both._lag._missing)) == (0, 0)
    both.standby.database = nowhere
    await both._follow_standby()
    assert both.lag_seconds is None


async def test_a_server_that_says_no_age_is_as_far_behind_as_was_measured(
    nowhere: Database, present: Database
) -> None:
    both = Replication(nowhere, present, most_lag_seconds=5)
    await both._follow_primary()
    assert (both.primary.is_away, len(both._lag._missing)) == (True, 0)
    await both._follow_standby()
    assert both.lag_seconds == 0


async def test_both_servers_are_followed_until_the_stop(present: Database) -> None:
    both = Replication(present, present, most_lag_seconds=5)
    await both.start()

    async def is_known() -> bool:
        return both.lag_seconds is not None

    await eventually_async(is_known, "the lag")
    await both.stop()
    assert [task.done() for task in both._following] == [True, True]


async def test_a_defect_does_not_end_the_following(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(replication, "INTERVAL_SECONDS", 0)
    followed = asyncio.Event()

    async def step() -> None:
        if not caplog.records:
            raise ValueError
        followed.set()

    following = asyncio.create_task(replication._repeat(step))
    await followed.wait()
    following.cancel()
    assert [record.getMessage() for record in caplog.records] == ["a database cannot be followed"]
