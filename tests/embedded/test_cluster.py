"""What a new cluster holds."""

from __future__ import annotations

from pathlib import Path

import psycopg

NEW_CLUSTER_BYTES = 17_000_000


def test_a_new_cluster_holds_only_the_database_that_clients_reach(
    client: psycopg.Connection,
) -> None:
    assert client.execute("select datname from pg_database").fetchall() == [("postgres",)]


def test_a_new_cluster_takes_17_mb(template: Path) -> None:
    sizes = [path.stat().st_size for path in template.rglob("*") if path.is_file()]
    assert sum(sizes) < NEW_CLUSTER_BYTES
