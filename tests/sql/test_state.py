"""What the database holds, for monitoring."""

from __future__ import annotations

import pytest
from psycopg import Connection

from tests.sql.calls import ask


def fill(db: Connection, sources: int) -> None:
    db.execute(
        "insert into data.source (name, created_at)"
        " select 'source-' || n, now() from generate_series(1, %s) as n",
        [sources],
    )


def sources(db: Connection) -> int:
    counted: int = ask(db, "select api.get_state(now())")["sources"]
    return counted


@pytest.mark.parametrize("number", [0, 1, 9_999])
def test_few_rows_are_counted(db: Connection, number: int) -> None:
    fill(db, number)
    assert sources(db) == number


def test_many_rows_are_estimated(db: Connection) -> None:
    fill(db, 200_000)
    assert sources(db) == pytest.approx(200_000, rel=0.1)
    assert sources(db) == sources(db)
