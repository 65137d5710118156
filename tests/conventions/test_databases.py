"""The databases that tests get are what their fixtures promise."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import Connection


def test_transaction_of_a_test_can_not_commit(db: Connection) -> None:
    with pytest.raises(psycopg.ProgrammingError):
        db.commit()


def test_fresh_database_shares_nothing_with_the_shared_one(
    fresh_database: str, db: Connection
) -> None:
    with psycopg.connect(fresh_database, prepare_threshold=None) as conn:
        conn.execute("create table public.mine ()")

    assert db.execute("select to_regclass('public.mine')").fetchone() == (None,)


def test_jobs_do_not_run_by_themselves(db: Connection) -> None:
    rows = db.execute("select from timescaledb_information.jobs where scheduled").fetchall()

    assert rows == []
