"""Requests in one statement, beside the same requests one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection
from psycopg.sql import SQL, Identifier

from tests.sql.calls import NOW, Item, Json, as_body, receipt


def ingest_together(
    conn: Connection, function: str, bodies: Sequence[object], nows: Sequence[datetime] | None
) -> list[Json] | None:
    """The receipts of requests, at NOW if not at other times; None where nothing was stored."""
    statement = SQL("select answers from {}(%s::json[], %s::timestamptz[])")
    row = conn.execute(
        statement.format(Identifier("api", function)),
        [list(map(as_body, bodies)), list(nows or [NOW] * len(bodies))],
    ).fetchone()
    assert row is not None
    answers: list[Json] | None = row[0]
    return answers


def compare(
    conn: Connection,
    bodies: list[list[Item] | Item],
    together: Callable[..., list[Json] | None],
    ingest: Callable[..., Json],
    stored: Callable[[Connection], Any],
) -> tuple[bool, bool]:
    """Whether requests are stored together, and whether each would store all of its items alone.

    What is stored together, a millisecond apart, is what is stored one after the other; otherwise
    nothing is. Nothing stays stored.
    """
    nows = [NOW + timedelta(milliseconds=n) for n in range(len(bodies))]
    conn.execute("savepoint before")
    answers = together(conn, *bodies, nows=nows)
    shared = stored(conn)
    conn.execute("rollback to before")
    nothing = stored(conn)
    alone = [
        ingest(conn, body, partial=True, now=now) for body, now in zip(bodies, nows, strict=True)
    ]
    one_by_one = stored(conn)
    conn.execute("rollback to before")

    if answers is None:
        assert shared == nothing
    else:
        assert answers == alone
        assert shared == one_by_one
    good = all(
        each == receipt(len(body) if isinstance(body, list) else 1) and body != []
        for each, body in zip(alone, bodies, strict=True)
    )
    return answers is not None, good
