"""The databases that tests get are what their fixtures promise."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import LiteralString

import psycopg
import pytest
from psycopg import Connection

from tests.sql.calls import ingest_metrics, metric
from tests.support import database_state, timescaledb
from tests.support.timescaledb import Server

NOW = datetime(2025, 6, 15, 12, 30, tzinfo=UTC)
CHANGES: tuple[LiteralString, ...] = (
    "create or replace function api.query_sla() returns int return 1",
    "drop view analytics.facts",
    "grant select on data.sample to public",
    "alter role supervisor_analyst set work_mem = '1MB'",
    "create table data.more (i int)",
    "alter table data.every_kind add check (kind_id < 5)",
    "create trigger late before insert on data.every_kind"
    " for each row execute function suppress_redundant_updates_trigger()",
)


def connected(url: str) -> Connection:
    return psycopg.connect(url, autocommit=True, prepare_threshold=None)


def test_transaction_of_a_test_can_not_commit(db: Connection) -> None:
    with pytest.raises(psycopg.ProgrammingError):
        db.commit()


def test_fresh_database_shares_nothing_with_the_shared_one(
    fresh_database: str, db: Connection
) -> None:
    with psycopg.connect(fresh_database, prepare_threshold=None) as conn:
        conn.execute("create table public.mine ()")

    assert db.execute("select to_regclass('public.mine')").fetchone() == (None,)


@pytest.fixture
def reusing_server(database_server: Server) -> Server:
    if not timescaledb.is_embedded():
        pytest.skip("a native server clones a database for each test")
    return database_server


def test_a_deployed_database_has_nothing_of_the_one_before(reusing_server: Server) -> None:
    with reusing_server.deployed() as url, connected(url) as conn:
        first = database_state.read(conn)
        ingest_metrics(conn, [metric(ts=NOW.timestamp())], now=NOW)
        conn.execute("call refresh_continuous_aggregate('data.sample_1h', null, null)")
        conn.execute("select compress_chunk(show_chunks('data.sample'))")
        conn.execute("select remove_retention_policy('data.sample')")

    with reusing_server.deployed() as url, connected(url) as conn:
        assert database_state.read(conn) == first


def test_a_deployed_database_has_no_object_of_the_one_before(reusing_server: Server) -> None:
    with reusing_server.deployed() as url, connected(url) as conn:
        seen = [database_state.read(conn).objects]
        for change in CHANGES:
            conn.execute(change)
            seen.append(database_state.read(conn).objects)

    with reusing_server.deployed() as url, connected(url) as conn:
        assert len({*seen}) == len(seen)
        assert database_state.read(conn).objects == seen[0]


def test_jobs_do_not_run_by_themselves(db: Connection) -> None:
    rows = db.execute("select from timescaledb_information.jobs where scheduled").fetchall()

    assert rows == []
