"""Keep-alives of concurrent calls share statements, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import msgspec
import psycopg
import pytest
from psycopg.sql import SQL

from supervisor_mcp import db, identity
from supervisor_mcp.db import Database
from supervisor_mcp.errors import Problem
from supervisor_mcp.identity import Identity
from supervisor_mcp.operations.heartbeat_writer import (
    MOST_NAMES,
    HeartbeatWriter,
    _Call,
)
from supervisor_mcp.operations.outcome import fails_every_call
from tests.sql.reports import add_server
from tests.support.ports import free_port

NOW = datetime(2025, 6, 15, 12, tzinfo=UTC)
SERVERS = [f"acme/s{n}" for n in range(20)]


@pytest.fixture
def url(fresh_database: str) -> str:
    """DSN of a database with servers."""
    with psycopg.connect(fresh_database, prepare_threshold=None) as conn:
        for name in SERVERS:
            add_server(conn, name)
    return fresh_database


@contextmanager
def refused(url: str, names: list[str]) -> Iterator[None]:
    """A database that refuses the keep-alives of these servers."""
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as conn:
        listed = conn.execute(
            "select string_agg(server_id::text, ', ') from data.server where name = any(%s)",
            [names],
        ).fetchone()
        assert listed is not None
        conn.execute(
            SQL(
                "alter table data.health_state"
                " add constraint keepalive_refused check (server_id not in ({}))"
            ).format(SQL(listed[0]))
        )
        yield
        # What is as it was is used for the next test, too.
        conn.execute("alter table data.health_state drop constraint keepalive_refused")


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    connected = Database(url, pool_size=4, statement_timeout_seconds=10)
    await connected.open()
    yield connected
    await connected.close()


async def test_calls_at_once_are_each_answered_for_their_own_names(
    database: Database, url: str
) -> None:
    writer = HeartbeatWriter(database)
    calls = [[name] for name in SERVERS] + [["acme/nobody", SERVERS[0], SERVERS[1]], []]
    answers = await asyncio.gather(*(writer.renew(names, NOW) for names in calls))

    decoded = [msgspec.json.decode(answer) for answer in answers]
    assert decoded[:20] == [{"renewed": 1, "unknown": []}] * 20
    assert decoded[20:] == [
        {"renewed": 2, "unknown": ["acme/nobody"]},
        {"renewed": 0, "unknown": []},
    ]
    with psycopg.connect(url, prepare_threshold=None) as conn:
        rows = conn.execute(
            "select count(*), count(distinct xmin::text) from data.health_state"
            " where signal = 'keepalive' and last_at = %s",
            [NOW],
        ).fetchone()
    assert rows == (20, 1)


async def test_an_unknown_name_of_one_call_does_not_fail_another(database: Database) -> None:
    writer = HeartbeatWriter(database)
    names = [*SERVERS, "acme/s00", "nobody"]
    answers = await asyncio.gather(
        *(writer.renew([name], NOW) for name in names), return_exceptions=True
    )

    assert all(isinstance(answer, bytes) for answer in answers[:20])
    for name, problem in zip(names[20:], answers[20:], strict=True):
        assert isinstance(problem, Problem)
        assert (problem.slug, problem.detail) == ("server_unknown", f'unknown server "{name}"')


@pytest.mark.parametrize("rejected", [[SERVERS[7]], [SERVERS[0], SERVERS[19]], SERVERS])
async def test_a_keepalive_that_the_database_refuses_fails_alone(
    database: Database, url: str, rejected: list[str]
) -> None:
    writer = HeartbeatWriter(database)
    with refused(url, rejected):
        answers = await asyncio.gather(
            *(writer.renew([name], NOW) for name in SERVERS), return_exceptions=True
        )

    failed = [
        name for name, each in zip(SERVERS, answers, strict=True) if isinstance(each, Problem)
    ]
    assert failed == rejected
    assert {each.slug for each in answers if isinstance(each, Problem)} == {"keepalive_refused"}


async def test_a_call_with_too_many_names_fails_alone(database: Database) -> None:
    writer = HeartbeatWriter(database)
    many, one = await asyncio.gather(
        writer.renew(["x"] * (MOST_NAMES + 1), NOW),
        writer.renew([SERVERS[0]], NOW),
        return_exceptions=True,
    )

    assert isinstance(many, Problem)
    assert many.slug == "batch_within_limit"
    assert isinstance(one, bytes)


async def test_more_names_than_one_statement_takes_are_renewed_by_several(
    database: Database,
) -> None:
    writer = HeartbeatWriter(database)
    unknown = [[f"n{call}-{n}" for n in range(6000)] for call in range(3)]
    answers = await asyncio.gather(*(writer.renew([*each, SERVERS[0]], NOW) for each in unknown))

    assert [msgspec.json.decode(answer)["renewed"] for answer in answers] == [1, 1, 1]
    assert msgspec.json.decode(answers[2])["unknown"] == sorted(unknown[2])


async def test_a_caller_that_leaves_fails_nobody(database: Database) -> None:
    writer = HeartbeatWriter(database)
    leaving = asyncio.create_task(writer.renew([SERVERS[0]], NOW))
    staying = asyncio.create_task(writer.renew([SERVERS[1]], NOW))
    await asyncio.sleep(0)
    leaving.cancel()

    assert msgspec.json.decode(await staying) == {"renewed": 1, "unknown": []}
    await writer.stop()


async def test_a_database_that_does_not_answer_fails_every_call_and_not_the_next_one(
    url: str,
) -> None:
    database = Database(url, pool_size=4, statement_timeout_seconds=10)
    writer = HeartbeatWriter(database)
    failed = await asyncio.gather(
        *(writer.renew([name], NOW) for name in SERVERS), return_exceptions=True
    )
    assert all(isinstance(each, Exception) for each in failed)
    await database.open()

    answer = await writer.renew([SERVERS[0]], NOW)
    assert msgspec.json.decode(answer)["renewed"] == 1
    await database.close()


async def test_senders_with_other_bounds_share_no_statement(database: Database, url: str) -> None:
    with psycopg.connect(url, prepare_threshold=None) as conn:
        conn.execute("update data.server set source = name")
    writer = HeartbeatWriter(database)

    async def call(sender: str, *names: str) -> bytes | str:
        identity.current.set(Identity(sender, frozenset({"ingest"}), (sender,)))
        try:
            return await writer.renew(names, NOW)
        except Problem as problem:
            return problem.slug

    own = [call(name, name) for name in SERVERS[:10]]
    foreign = [call(name, SERVERS[0]) for name in SERVERS[1:10]]
    answers = await asyncio.gather(*own, *foreign, writer.renew(SERVERS, NOW))

    renewed = [msgspec.json.decode(answer)["renewed"] for answer in (*answers[:10], answers[-1])]
    assert renewed == [1] * 10 + [len(SERVERS)]
    assert answers[10:-1] == ["source_of_key"] * 9


async def test_a_call_that_its_sender_may_not_make_fails_alone(
    database: Database, url: str
) -> None:
    with psycopg.connect(url, prepare_threshold=None) as conn:
        conn.execute("update data.server set source = name")
    identity.current.set(Identity("s", frozenset({"ingest"}), (SERVERS[0],)))
    writer = HeartbeatWriter(database)

    good, bad = await asyncio.gather(
        writer.renew(SERVERS[:1], NOW), writer.renew(SERVERS[1:2], NOW), return_exceptions=True
    )

    assert isinstance(good, bytes)
    assert isinstance(bad, Problem)
    assert bad.slug == "source_of_key"


@pytest.mark.parametrize(
    ("error", "every"),
    [
        (Problem("forbidden", "d"), True),
        (Problem("source_of_key", "d", status=403), False),
        (Problem("busy", "d"), False),
        (Problem("server_unknown", "d", status=404), False),
        (Problem("unavailable", "d"), True),
        (Problem("too_slow", "d"), True),
        (Problem("a", "d", status=502), False),
        (Problem("a", "d", status=505), False),
        (ValueError(), True),
    ],
)
def test_what_fails_every_call_is_not_halved(error: Exception, *, every: bool) -> None:
    assert fails_every_call(error) is every


def waiting(writer: HeartbeatWriter, sender: str, size: int) -> _Call:
    identity.current.set(Identity(sender, frozenset({"ingest"}), (sender,)))
    call = _Call(["n"] * size, NOW)
    writer._waiting.append(call)
    return call


async def test_a_statement_takes_10000_names_of_senders_with_the_same_bounds(
    nowhere: Database,
) -> None:
    writer = HeartbeatWriter(nowhere)
    sizes = [("a", 9_998), ("b", 1), ("a", 1), ("b", 1), ("a", 1), ("a", 1), ("b", 3)]
    a_1, b_1, a_2, b_2, a_3, a_4, b_3 = [waiting(writer, *each) for each in sizes]
    assert writer._take() == [a_1, a_2, a_3]
    assert list(writer._waiting) == [b_1, b_2, a_4, b_3]
    assert writer._take() == [b_1, b_2, b_3]
    assert writer._take() == [a_4]


@pytest.mark.parametrize(("size", "waits"), [(10_000, True), (10_001, False)])
async def test_a_call_with_more_names_than_a_statement_takes_waits_for_no_others(
    nowhere: Database, size: int, *, waits: bool
) -> None:
    writer = HeartbeatWriter(nowhere)
    calling = asyncio.create_task(writer.renew(["n"] * size, NOW))
    await asyncio.sleep(0)
    assert bool(writer._waiting) is waits
    calling.cancel()


async def test_a_stop_waits_for_what_was_asked_and_every_call_fails_with_its_own_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(db, "POOL_SECONDS", 0.05)
    url = f"postgresql://postgres@127.0.0.1:{free_port()}/postgres"
    database = Database(url, pool_size=1, statement_timeout_seconds=1)
    await database.open()
    writer = HeartbeatWriter(database)
    await writer.stop()
    calls = [asyncio.create_task(writer.renew([name], NOW)) for name in SERVERS[:3]]
    await asyncio.sleep(0)
    await writer.stop()
    failed = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(each) for each in failed] == [Problem] * 3
    assert len({id(each) for each in failed}) == 3
    await database.close()
