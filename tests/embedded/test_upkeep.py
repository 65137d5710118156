"""What background processes do on other servers."""

from __future__ import annotations

from pathlib import Path

import psycopg

from supervisor_mcp.embedded import database
from tests.embedded.conftest import connect
from tests.support.waiting import eventually


def test_a_table_that_is_updated_again_and_again_does_not_grow(
    data_dir: Path, cache_dir: Path
) -> None:
    with (
        database.start(data_dir, cache_dir=cache_dir, jobs=False) as server,
        connect(server.url) as client,
    ):
        client.execute("create table t as select n from generate_series(1, 10000) as n")
        client.execute("update t set n = -n")
        size = client.execute("select pg_relation_size('t')").fetchone()
        vacuumed = "select relallvisible > 0 from pg_class where oid = 't'::regclass"
        eventually(lambda: client.execute(vacuumed).fetchone() == (True,))
        client.execute("update t set n = -n")
        assert client.execute("select pg_relation_size('t')").fetchone() == size


def test_a_checkpoint_follows_64_mb_of_changes(client: psycopg.Connection) -> None:
    last = "select checkpoint_lsn from pg_control_checkpoint()"
    before = client.execute(last).fetchone()
    client.execute(
        "select pg_logical_emit_message(false, '', repeat('x', 8388608)) from generate_series(1, 9)"
    )
    eventually(lambda: client.execute(last).fetchone() != before)
