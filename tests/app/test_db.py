"""Transactions on a real server."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool.base import AttemptWithBackoff

from supervisor_mcp import db
from supervisor_mcp.connections import PROBE_SECONDS
from supervisor_mcp.db import Database
from supervisor_mcp.errors import Problem
from supervisor_mcp.json_text import Json
from tests.support import proxy
from tests.support.ports import free_port

OBJECTS = """
create schema if not exists probe;
create table probe.note (text text);
create sequence probe.attempt;
create function probe.clash(p_times bigint, p_state text) returns bigint language plpgsql as $$
declare
    v_attempt constant bigint := nextval('probe.attempt');
begin
    if v_attempt <= p_times then
        raise exception 'clash' using errcode = p_state;
    end if;
    return v_attempt;
end
$$;
create function probe.write_note(p_text text) returns bigint language sql as
    'insert into probe.note values (p_text) returning 1::bigint';
create function api.note(p_text text, out noted text, out said text) language sql as $$
    insert into probe.note values (p_text || ' ' || current_setting('synchronous_commit'))
    returning text, 'noted'
$$;
create function api.note_limit() returns text language sql as
    'select current_setting(''statement_timeout'')';
create function api.note_json(p_text text) returns json language sql as $$
    insert into probe.note values (p_text) returning json_build_object('noted', text)
$$;
grant usage on schema probe to supervisor_app;
grant all on all tables in schema probe to supervisor_app;
grant all on all sequences in schema probe to supervisor_app
"""
SQL_LOSE = """
create or replace function probe.lose() returns trigger language plpgsql as $$
begin
    raise exception 'could not extend file' using errcode = '{state}';
end
$$;
create trigger lose before insert on probe.note for each row execute function probe.lose()
"""
WHO = "select current_user::text, current_setting('statement_timeout'), %(n)s::int"


@asynccontextmanager
async def opened(url: str, pool_size: int = 4, seconds: int = 20) -> AsyncIterator[Database]:
    database = Database(url, pool_size=pool_size, statement_timeout_seconds=seconds)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with opened(database_url) as made:
        yield made


@pytest.fixture
async def probed(database_url: str) -> AsyncIterator[str]:
    """DSN of a database with tables of the test's own in schema probe."""
    with psycopg.connect(database_url, autocommit=True, prepare_threshold=None) as conn:
        conn.execute(OBJECTS)
        try:
            yield database_url
        finally:
            conn.execute(
                "drop function api.note, api.note_json, api.note_limit; drop schema probe cascade"
            )


def notes(url: str) -> list[str]:
    with psycopg.connect(url, prepare_threshold=None) as conn:
        return [row[0] for row in conn.execute("select text from probe.note")]


async def test_a_call_runs_as_the_service_role_with_a_timeout(database: Database) -> None:
    assert await database.read(WHO, {"n": 1}) == ("supervisor_app", "20s", 1)


async def test_nothing_of_a_call_stays_in_the_session(database_url: str) -> None:
    async with opened(database_url, pool_size=1) as database:
        await database.read(WHO, {"n": 1})
        async with database._pool.connection() as connection:
            cursor = await connection.execute(
                "select current_user = session_user, current_setting('statement_timeout')"
            )
            assert await cursor.fetchone() == (True, "0")


async def test_a_read_cannot_write(probed: str) -> None:
    async with opened(probed) as database:
        with pytest.raises(Problem, match="internal"):
            await database.read("select probe.write_note('x')", {})
    assert notes(probed) == []


async def test_a_write_is_committed_when_it_returns(probed: str) -> None:
    async with opened(probed) as database:
        assert await database.write("select probe.write_note(%(t)s)", {"t": "kept"}) == (1,)
        assert notes(probed) == ["kept"]


async def test_a_function_that_writes_is_called_by_name_and_its_answer_is_a_row_or_json(
    probed: str,
) -> None:
    async with opened(probed) as database:
        assert await database.write_row("note", {"text": "row"}) == ("row on", "noted")
        assert await database.write_json("note_json", {"text": "json"}) == b'{"noted" : "json"}'
        background = database.call_in_background("note", {"text": "loop"}, read_only=False)
        assert await background == ("loop on", "noted")
    assert notes(probed) == ["row on", "json", "loop on"]


async def test_what_nobody_waits_for_is_committed_without_a_standby(probed: str) -> None:
    async with opened(probed) as database:
        await database.record("note", {"text": "recorded"})
    assert notes(probed) == ["recorded local"]


async def test_a_function_that_is_only_to_read_cannot_write(probed: str) -> None:
    async with opened(probed) as database:
        for call in (
            database.read_json("note_json", {"text": "x"}),
            database.read_aside("note", {"text": "x"}),
            database.call_in_background("note", {"text": "x"}, read_only=True),
        ):
            with pytest.raises(Problem, match="internal"):
                await call
    assert notes(probed) == []


async def test_a_call_beside_the_pool_has_a_limit_of_its_own(probed: str) -> None:
    async with opened(probed) as database:
        assert await database.read_aside("note_limit", {}) == ("2s",)
        answer = database.call_in_background("note_limit", {}, read_only=True)
        assert await answer == ("20s",)


async def test_a_call_beside_the_pool_answers_a_row_again_and_again(database: Database) -> None:
    for _ in range(2):
        (visible,) = await database.read_aside("get_visibility", {})
        assert str(visible).count(":") == 2
    with pytest.raises(Problem, match="internal"):
        await database.read_aside("nothing", {})
    assert len(await database.read_aside("get_visibility", {})) == 1


async def test_an_error_is_logged_unless_its_caller_logs_it(
    probed: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "supervisor_mcp")
    async with opened(probed) as database:
        with pytest.raises(Problem, match="internal"):
            await database.call_in_background("nothing", {}, read_only=True)
        with pytest.raises(Problem, match="value_invalid"):
            await database.read("select 1 / 0", {})
        assert caplog.records == []
        with pytest.raises(Problem, match="internal"):
            await database.read("select api.nothing()", {})
        with pytest.raises(Problem, match="unavailable"):
            await database.write("select probe.clash(9, '53100')", {})
    assert [(each.levelname, each.getMessage().partition(":")[0]) for each in caplog.records] == [
        ("ERROR", "database error 42883"),
        ("WARNING", "database unavailable"),
    ]


async def test_the_shortest_limits_leave_time_for_an_answer(database_url: str) -> None:
    async with opened(database_url, seconds=1) as database:
        assert await database.read("select 1", {}) == (1,)
        assert b'"one"' in await database.query("select 1 as one", None)


@pytest.mark.parametrize(("pool_size", "writing"), [(1, 1), (2, 1), (4, 3), (8, 6)])
async def test_writes_leave_a_quarter_of_the_connections_to_reads(
    pool_size: int, writing: int
) -> None:
    database = Database("", pool_size=pool_size, statement_timeout_seconds=20)
    assert database._writing._value == writing
    pool = database._pool
    assert (pool.min_size, pool.max_size, pool.timeout) == (1, pool_size, 5.0)


async def test_what_is_wrong_with_a_statement_of_a_client_is_its_problem_and_else_ours(
    database_url: str,
) -> None:
    read_only = make_conninfo(database_url, options="-c default_transaction_read_only=on")
    async with opened(database_url) as database, opened(read_only) as standby:
        with pytest.raises(Problem, match="statement_valid"):
            await database.query("selec 1", None)
        with pytest.raises(Problem, match="limit_in_range"):
            await database.query("select 1", -1)
        with pytest.raises(Problem, match="read_only"):
            await standby.query("select 1", None)


async def test_a_write_that_has_no_turn_in_time_is_unavailable(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "POOL_SECONDS", 0.1)
    async with opened(database_url, pool_size=1) as database:
        async with database._turn_to_write():
            with pytest.raises(Problem, match="unavailable"):
                await database.write("select 1", {})
        assert await database.write("select 1", {}) == (1,)


async def test_a_failed_write_leaves_nothing(probed: str) -> None:
    async with opened(probed) as database:
        with pytest.raises(Problem, match="value_invalid"):
            await database.write("select probe.write_note('x'), 1 / 0", {})
    assert notes(probed) == []


@pytest.mark.parametrize("state", ["XX000", "42883", "42P01"], ids=["gone", "function", "table"])
@pytest.mark.parametrize(("clashes", "outcome"), [(1, 2), (2, None)])
async def test_what_a_deploy_replaces_meanwhile_is_called_once_more(
    probed: str, clashes: int, outcome: int | None, state: str
) -> None:
    async with opened(probed) as database:
        arguments = {"times": clashes, "state": state}
        call = database.write("select probe.clash(%(times)s, %(state)s)", arguments)
        if outcome is None:
            with pytest.raises(Problem, match="internal"):
                await call
        else:
            assert await call == (outcome,)


@pytest.mark.parametrize("state", ["40001", "40P01"], ids=["serialization", "deadlock"])
@pytest.mark.parametrize(("clashes", "outcome"), [(1, 2), (2, None)])
async def test_a_clash_is_retried_once(
    probed: str, clashes: int, outcome: int | None, state: str
) -> None:
    async with opened(probed) as database:
        arguments = {"times": clashes, "state": state}
        call = database.write("select probe.clash(%(times)s, %(state)s)", arguments)
        if outcome is None:
            with pytest.raises(Problem, match="busy"):
                await call
        else:
            assert await call == (outcome,)


async def test_json_goes_in_and_comes_out_as_it_is(database: Database) -> None:
    document = b'{"b" : [1e2, "\\u00e4 \xc3\xa4"]}'
    row = await database.read(
        "select (%(j)s ->> 'b')::json, json_build_object('a', 1)", {"j": Json(document)}
    )
    assert row == (b'[100, "\xc3\xa4 \xc3\xa4"]', b'{"a" : 1}')


async def test_many_calls_of_several_pools_at_once_do_not_mix(database_url: str) -> None:
    async with opened(database_url) as one, opened(database_url) as other:
        rows = await asyncio.gather(*((one, other)[n % 2].read(WHO, {"n": n}) for n in range(200)))
    assert [row[2] for row in rows] == list(range(200))


async def test_the_pool_hands_out_the_connection_that_came_back_last(database: Database) -> None:
    pool = database._pool
    one, two = await pool.getconn(), await pool.getconn()
    for first, last in ((one, two), (two, one)):
        await pool.putconn(first)
        await pool.putconn(last)
        assert await pool.getconn() is last
        assert await pool.getconn() is first
    await pool.putconn(one)
    await pool.putconn(two)


async def test_connections_that_died_in_the_pool_are_replaced(database_url: str) -> None:
    address = conninfo_to_dict(database_url)
    async with proxy.start(str(address["host"]), int(address["port"] or 5432)) as breakable:
        through = make_conninfo(database_url, host="127.0.0.1", port=breakable.port)
        async with opened(through) as database:
            await asyncio.gather(*(database.read(WHO, {"n": n}) for n in range(8)))
            breakable.drop()
            assert (await database.read(WHO, {"n": 7}))[2] == 7


async def test_a_write_after_a_restart_of_the_server_is_stored(probed: str) -> None:
    address = conninfo_to_dict(probed)
    async with proxy.start(str(address["host"]), int(address["port"] or 5432)) as breakable:
        through = make_conninfo(probed, host="127.0.0.1", port=breakable.port)
        async with opened(through) as database:
            await asyncio.gather(*(database.read(WHO, {"n": n}) for n in range(8)))
            breakable.drop()
            # A round trip on a connection of its own: the others have ended by then.
            await database.probe()
            assert await database.write("select probe.write_note('kept')", {}) == (1,)


class Breaking(proxy.Proxy):
    """Passes on a note, and ends every connection then, `most` times."""

    writes = 0
    most = 100

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward one connection."""
        read = reader.read
        passed = False

        async def noticing(n: int = -1) -> bytes:
            nonlocal passed
            if passed:
                self.drop()
            data = await read(n)
            if b"write_note" in data:
                self.writes += 1
                passed = self.writes <= self.most
            return data

        reader.read = noticing  # type: ignore[method-assign]
        await super().serve(reader, writer)


async def test_a_write_whose_connection_is_lost_is_not_repeated(probed: str) -> None:
    address = conninfo_to_dict(probed)
    breaking = Breaking((str(address["host"]), int(address["port"] or 5432)))
    server = await asyncio.start_server(breaking.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, opened(make_conninfo(probed, host="127.0.0.1", port=port)) as database:
        await database.read(WHO, {"n": 1})
        with pytest.raises(Problem, match="unavailable"):
            await database.write("select probe.write_note('once')", {})
        breaking.drop()
    assert breaking.writes == 1


@pytest.mark.parametrize(("most", "answered"), [(0, True), (1, True), (2, False)])
async def test_a_read_whose_connection_is_lost_is_repeated_once(
    database_url: str, most: int, answered: bool
) -> None:
    address = conninfo_to_dict(database_url)
    breaking = Breaking((str(address["host"]), int(address["port"] or 5432)))
    breaking.most = most
    server = await asyncio.start_server(breaking.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    through = make_conninfo(database_url, host="127.0.0.1", port=port)
    async with server, opened(through) as database:
        await database.read(WHO, {"n": 1})
        if answered:
            assert await database.read("select 'write_note'", {}) == ("write_note",)
        else:
            with pytest.raises(Problem, match="unavailable"):
                await database.read("select 'write_note'", {})
        assert breaking.writes == 1 + (most > 0)
        with pytest.raises(Problem, match="value_invalid"):
            await database.read("select 'write_note', 1 / 0", {})
        assert breaking.writes == 2 + (most > 0)
        breaking.drop()


@pytest.mark.server
async def test_a_server_that_is_not_there_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db, "POOL_SECONDS", 0.5)
    async with opened(f"postgresql://postgres@127.0.0.1:{free_port()}/postgres") as gone:
        with pytest.raises(Problem, match="unavailable"):
            await gone.read(WHO, {"n": 1})


async def test_a_call_that_takes_too_long_is_ended(database_url: str) -> None:
    database = Database(database_url, pool_size=1, statement_timeout_seconds=1)
    await database.open()
    with pytest.raises(Problem, match="too_slow"):
        await database.read("select count(*) from generate_series(1, 1e9::bigint)", {})
    await database.close()


async def test_a_statement_of_a_client_that_takes_too_long_is_ended(database_url: str) -> None:
    database = Database(database_url, pool_size=1, statement_timeout_seconds=20, query_seconds=1)
    await database.open()
    async with opened(database_url) as other:
        for sql in (
            "select count(*) from generate_series(1, 10000000000)",
            "select count(*) from generate_series(1, 100000) as a, generate_series(1, 100000) as b",
        ):
            with pytest.raises(Problem, match="too_slow"):
                await database.query(sql, None)
            assert await other.read("select 1", {}) == (1,)
    await database.close()


async def test_a_database_that_is_back_is_used_at_once(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The library doubles its pauses; of those that are never given up, the second ends after 17 s.
    monkeypatch.setattr(AttemptWithBackoff, "DELAY_BACKOFF", 16.0)
    monkeypatch.setattr(db, "POOL_SECONDS", 1.0)
    parts = conninfo_to_dict(database_url)
    async with proxy.start(str(parts["host"]), int(str(parts["port"]))) as between:
        through = make_conninfo(database_url, host="127.0.0.1", port=str(between.port))
        async with opened(through) as database:
            await database.read("select 1", {})
            between.refusing = True
            between.drop()
            # Past the first attempts, so that those that go on are new ones.
            ends = time.monotonic() + db.POOL_SECONDS + 1.5
            while time.monotonic() < ends:
                with pytest.raises(Problem, match="unavailable"):
                    await database.read("select 1", {})
            between.refusing = False
            async with asyncio.timeout(5):
                assert await database.read("select 1", {}) == (1,)
            between.drop()


async def test_a_probe_does_not_wait_behind_the_pool(database_url: str) -> None:
    async with opened(database_url, pool_size=1) as database:
        await database.read("select 1", {})
        async with database._pool.connection():
            await database.probe()
            assert database._pool.get_stats()["pool_available"] == 0


@pytest.mark.parametrize("read_only", [False, True])
async def test_a_probe_says_whether_the_server_takes_writes(
    database_url: str, read_only: bool
) -> None:
    options = f"-c default_transaction_read_only={read_only}"
    async with opened(make_conninfo(database_url, options=options)) as database:
        assert await database.probe() is not read_only


async def test_a_probe_of_a_database_without_the_schema_fails(empty_database: str) -> None:
    async with opened(empty_database) as database:
        with pytest.raises(Problem, match="unavailable"):
            await database.probe()


async def test_probes_end_in_time_on_one_connection_when_nothing_answers(
    caplog: pytest.LogCaptureFixture,
) -> None:
    accepted = 0
    left = asyncio.Event()

    async def keep_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal accepted
        accepted += 1
        await reader.read()
        writer.close()
        await writer.wait_closed()
        left.set()

    silent = await asyncio.start_server(keep_silent, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
    database = Database(url, pool_size=1, statement_timeout_seconds=20)
    async with silent, asyncio.timeout(PROBE_SECONDS + 2):
        probes = [database.probe() for _ in range(5)]
        failures = await asyncio.gather(*probes, return_exceptions=True)
        await left.wait()
    assert [str(failure).partition(":")[0] for failure in failures] == ["unavailable"] * 5
    said = {record.getMessage() for record in caplog.records}
    assert said == {"database unavailable: no answer within 2 s"}
    assert accepted == 1


async def test_probes_that_overlap_all_have_an_answer(database_url: str) -> None:
    async with opened(database_url, pool_size=1) as database:

        async def probe_again() -> None:
            for _ in range(20):
                await database.probe()

        assert await asyncio.gather(*(probe_again() for _ in range(4))) == [None] * 4


async def test_a_write_that_is_lost_is_remembered_until_one_succeeds(probed: str) -> None:
    lose = SQL_LOSE.format(state="53100")
    with psycopg.connect(probed, autocommit=True, prepare_threshold=None) as conn:
        conn.execute(lose.encode())
    async with opened(probed) as database:
        assert not database.lost_a_write(within_seconds=300)
        with pytest.raises(Problem, match="unavailable"):
            await database.write("select probe.write_note('lost')", {})
        assert database.lost_a_write(within_seconds=300)
        assert not database.lost_a_write(within_seconds=0)
        await database.read("select 1", {})
        assert database.lost_a_write(within_seconds=300)
        with psycopg.connect(probed, autocommit=True, prepare_threshold=None) as conn:
            conn.execute("drop trigger lose on probe.note")
        await database.write("select probe.write_note('stored')", {})
        assert not database.lost_a_write(within_seconds=300)


async def test_a_write_that_is_refused_is_not_lost(probed: str) -> None:
    async with opened(probed) as database:
        with pytest.raises(Problem, match="value_invalid"):
            await database.write("select probe.write_note('x' || 1 / 0)", {})
        assert not database.lost_a_write(within_seconds=300)
