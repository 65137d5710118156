"""What one process does for the requests of several namespaces."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import msgspec
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import Connection

from supervisor_mcp import identity
from supervisor_mcp.cache.store import Key
from supervisor_mcp.db import Database
from supervisor_mcp.identity import Identity
from supervisor_mcp.operations.heartbeat_writer import HeartbeatWriter
from supervisor_mcp.operations.snapshots import SnapshotWriter
from tests.sql.calls import ask, ingest_metrics, metric
from tests.sql.reports import add_server
from tests.support.tenants import NOW, within
from tests.support.waiting import eventually_async

NAMESPACES = ("", "acme", "umbrella")
# Notes for which sources the transaction may write.
WRITERS = """
create table public.writer (server_id bigint, sources text);
create function public.note_writer() returns trigger language plpgsql security definer as $$
begin
    insert into public.writer values (new.server_id, current_setting('supervisor.sources'));
    return new;
end
$$;
create trigger writer before insert on data.health_state
for each row execute function public.note_writer();
"""


@pytest.fixture
def conn(fresh_database: str) -> Iterator[Connection[Any]]:
    with psycopg.connect(fresh_database, autocommit=True, prepare_threshold=None) as connected:
        yield connected


@pytest.fixture
async def database(fresh_database: str) -> AsyncIterator[Database]:
    connected = Database(fresh_database, pool_size=4, statement_timeout_seconds=10)
    await connected.open()
    yield connected
    await connected.close()


async def renew(writer: HeartbeatWriter, caller: Identity, *names: str) -> Any:
    """The answer to a call, or its problem."""
    with identity.acting_as(caller):
        return await writer.renew(names, NOW)


async def test_keepalives_that_are_gathered_stay_in_their_namespaces(
    conn: Connection[Any], database: Database
) -> None:
    for namespace in ("acme", "umbrella"):
        with within(conn, namespace):
            add_server(conn, "search")
            add_server(conn, f"only/{namespace}")
    writer = HeartbeatWriter(database)
    acme, umbrella = identity.serving("acme"), identity.serving("umbrella")

    answers = await asyncio.gather(
        *(renew(writer, caller, "only/acme", "search") for caller in (acme, umbrella) * 5)
    )

    assert [msgspec.json.decode(answer) for answer in answers] == [
        {"renewed": 2, "unknown": []},
        {"renewed": 1, "unknown": ["only/acme"]},
    ] * 5
    rows = conn.execute(
        "select namespace, name from data.health_state"
        " inner join data.every_server using (server_id) order by 1, 2"
    ).fetchall()
    assert rows == [("acme", "only/acme"), ("acme", "search"), ("umbrella", "search")]


async def test_a_keepalive_is_written_with_what_its_caller_may(
    conn: Connection[Any], database: Database
) -> None:
    conn.execute(WRITERS)
    with within(conn, "acme"):
        for number in range(4):
            add_server(conn, str(number), source="shop")
    writer = HeartbeatWriter(database)
    bound = Identity("bound", frozenset({"ingest"}), ("shop",), "acme")

    await asyncio.gather(
        *(
            renew(writer, caller, str(number))
            for number, caller in enumerate((bound, identity.serving("acme")) * 2)
        )
    )

    rows = conn.execute(
        "select name, sources from public.writer inner join data.every_server using (server_id)"
        " order by 1"
    ).fetchall()
    assert rows == [("0", "shop"), ("1", ""), ("2", "shop"), ("3", "")]


async def test_snapshots_are_those_of_the_namespace_that_was_asked_in(
    conn: Connection[Any], database: Database
) -> None:
    writer = SnapshotWriter(database)
    for value, namespace in enumerate(NAMESPACES):
        with within(conn, namespace):
            ingest_metrics(conn, metric(value=value, ts=NOW.isoformat()), now=NOW)
            answer = ask(conn, "select api.query_agg('cpu', '7d', null, null, null, null, %s)", NOW)
        with identity.acting_as(identity.serving(namespace)):
            writer.offer("cpu", "7d", msgspec.json.encode(answer))

    async def stored() -> list[tuple[Any, ...]]:
        rows = conn.execute(
            "select namespace, answer ->> 'max' from data.aggregate"
            " inner join data.every_kind using (kind_id) order by 1"
        ).fetchall()
        return rows if len(rows) == len(NAMESPACES) else []

    assert await eventually_async(stored) == [("", "0"), ("acme", "1"), ("umbrella", "2")]
    await writer.stop()


def names(key: Key) -> list[str]:
    """What a key is called in Redis."""
    return [key.answer, key.stamp, key.lease, key.generation, key.members]


@given(
    st.tuples(st.text(max_size=4), st.sampled_from(("7d", "7d:0")), st.sampled_from(NAMESPACES)),
    st.tuples(st.text(max_size=4), st.sampled_from(("7d", "7d:0")), st.sampled_from(NAMESPACES)),
    st.sampled_from(("acme", "acme:", "@acme:", "umbrella", "")),
)
def test_no_kind_is_called_so_that_its_key_is_one_of_another_namespace(
    first: tuple[str, str, str], second: tuple[str, str, str], prefix: str
) -> None:
    one = Key(prefix + first[0], first[1], namespace=first[2])
    other = Key(prefix[::-1] + second[0], second[1], namespace=second[2])
    assert one.namespace == other.namespace or set(names(one)).isdisjoint(names(other))


def test_the_keys_of_the_default_namespace_have_no_name_of_it() -> None:
    assert Key("cpu", "7d", namespace="").answer == "supervisor:agg:cpu:7d"
    assert Key("cpu", "7d", namespace="acme").answer == "supervisor:agg@acme:cpu:7d"
