"""Waiting for a database that does not answer yet, and not for one that refuses."""

from __future__ import annotations

import asyncio
import time
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import Ping

from supervisor_mcp.cli import availability
from supervisor_mcp.cli.availability import await_database
from tests.support import command_line, proxy
from tests.support.ports import free_port
from tests.support.waiting import eventually_async

pytestmark = pytest.mark.server


async def test_a_deploy_waits_for_a_database_that_is_not_there_yet(
    empty_database: str, tmp_path: Path
) -> None:
    there = conninfo_to_dict(empty_database)
    port = free_port()
    said = tmp_path / "said"
    with said.open("wb") as errors:
        deploy = await asyncio.create_subprocess_exec(
            *command_line.COMMAND,
            "deploy",
            env={
                **command_line.environment(),
                "SUPERVISOR_DATABASE_URL": make_conninfo(empty_database, port=port),
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
        )

    async def has_said() -> bool:
        return "waiting for the database at" in said.read_text()

    try:
        await eventually_async(has_said, "a word", seconds=60)
        async with proxy.start(str(there["host"]), int(str(there["port"])), own_port=port):
            done, _ = await deploy.communicate()
    finally:
        if deploy.returncode is None:
            deploy.kill()

    assert (deploy.returncode, "applied migrations/0001" in done.decode()) == (0, True)
    assert said.read_text().count("waiting for the database at") == 1
    assert "refused" in said.read_text()


def test_a_deploy_waits_no_longer_than_the_setting_says() -> None:
    done = command_line.run(
        "deploy",
        env={
            "SUPERVISOR_DATABASE_URL": "postgresql://me:secret@127.0.0.1:1/none",
            "SUPERVISOR_DATABASE_WAIT_SECONDS": "1",
        },
    )
    assert done.returncode == 1
    assert "does not answer within 1 s" in done.stderr
    assert "SUPERVISOR_DATABASE_WAIT_SECONDS" in done.stderr
    assert "secret" not in done.stderr


@pytest.mark.parametrize(
    "dsn",
    [
        "host=127.0.0.1 port=1",
        "host=no.such.host.invalid",
        "host=127.0.0.1,127.0.0.1 port=1,1 target_session_attrs=read-write",
    ],
)
def test_a_server_that_is_not_there_is_waited_for(dsn: str) -> None:
    said: list[str] = []
    began = time.monotonic()

    assert await_database(dsn, dsn, seconds=0.5, say=said.append)

    assert time.monotonic() - began >= 0.5
    assert len(said) == 1


@pytest.mark.parametrize("port", ["abc", "99999999"])
def test_a_dsn_that_can_never_be_used_is_not_waited_for(port: str) -> None:
    said: list[str] = []
    dsn = f"host=127.0.0.1 port={port}"

    assert await_database(dsn, dsn, seconds=60, say=said.append) is None

    assert said == []


@pytest.mark.native_only("the embedded server admits every login to its one database")
@pytest.mark.parametrize("other", [{"dbname": "not_there"}, {"user": "nobody_at_all"}])
def test_a_login_that_is_refused_is_not_waited_for(
    database_url: str, other: dict[str, str]
) -> None:
    said: list[str] = []
    assert (
        await_database(make_conninfo(database_url, **other), "it", seconds=60, say=said.append)
        is None
    )
    assert said == []


@pytest.mark.native_only("the embedded server does not say whether it takes writes")
def test_a_server_of_another_kind_than_asked_for_is_waited_for(database_url: str) -> None:
    standby = make_conninfo(database_url, target_session_attrs="standby")
    reason = await_database(standby, "it", seconds=0.5, say=lambda _: None)
    assert reason is not None
    assert "hot standby" in reason


def test_pauses_grow_up_to_ten_seconds_and_a_word_is_said_every_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = SimpleNamespace(now=1_000.0)
    pauses: list[float] = []
    jitter: list[tuple[float, float]] = []

    def sleep(seconds: float) -> None:
        assert seconds > 0
        pauses.append(seconds)
        clock.now += seconds

    def uniform(least: float, most: float) -> float:
        jitter.append((least, most))
        return most

    stub = SimpleNamespace(monotonic=lambda: clock.now, sleep=sleep)
    monkeypatch.setattr(availability, "time", stub)
    monkeypatch.setattr(availability, "random", SimpleNamespace(uniform=uniform))
    said: list[str] = []

    reason = await_database("host=127.0.0.1 port=1", "it", seconds=130, say=said.append)

    assert reason is not None
    assert "refused" in reason
    assert pauses == [0.25, 0.5, 1, 2, 4, 8, *[10.0] * 11, 4.25]
    assert set(jitter) == {(0.5, 1.0)}
    assert said == [
        f"waiting for the database at it: {reason}",
        f"waiting for the database at it, for 66 s now: {reason}",
        f"waiting for the database at it, for 126 s now: {reason}",
    ]


def test_a_connection_has_the_time_limit_of_its_dsn_else_five_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: list[object] = []

    def connect(conninfo: str, **_: object) -> None:
        given.append(conninfo_to_dict(conninfo).get("connect_timeout"))
        raise psycopg.OperationalError("FATAL: no")

    monkeypatch.setattr(psycopg, "connect", connect)
    for dsn in ("host=a", "host=a connect_timeout=2"):
        assert await_database(dsn, "it", seconds=0, say=lambda _: None) is None
    assert given == ["5", "2"]


STARTING = "FATAL:  the database system is starting up"
# What a server says whose messages are in another language.
FOREIGN = "FATAL\u00a0:  l'authentification a échoué"


@pytest.mark.parametrize(
    ("said", "ping", "is_away"),
    [
        ([], None, False),
        (["FATAL:  password authentication failed"], None, False),
        ([STARTING], None, True),
        ([FOREIGN], Ping.NO_RESPONSE, True),
        ([FOREIGN], Ping.REJECT, True),
        ([FOREIGN, FOREIGN], Ping.OK, False),
        ([FOREIGN, STARTING], Ping.OK, True),
        ([FOREIGN], Ping.OK, False),
    ],
)
def test_a_server_that_starts_is_waited_for_and_one_that_refuses_is_not(
    monkeypatch: pytest.MonkeyPatch, said: list[str], ping: Ping | None, is_away: bool
) -> None:
    waiting = list(said)

    def connect(_: str, **__: object) -> object:
        if waiting:
            raise psycopg.OperationalError(waiting.pop(0))
        return nullcontext(SimpleNamespace(execute=lambda _: None))

    monkeypatch.setattr(psycopg, "connect", connect)
    monkeypatch.setattr(availability, "PGconn", SimpleNamespace(ping=lambda _: ping))
    reason = await_database("host=a", "it", seconds=0, say=lambda _: None)
    assert (reason is not None) is is_away
    assert waiting == []
