"""Calls of the functions of the audit."""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from tests.sql.calls import Json, ask

FILTERS = ("actor", "action", "object_type", "object_name", "from_", "to", "limit", "cursor")


def settle(db: Connection) -> None:
    """Do what the end of the transaction would do: append to the audit."""
    db.execute("set constraints all immediate; set constraints all deferred")


def list_audit(db: Connection, **filters: Any) -> Json:
    """A page of events."""
    assert set(filters) <= set(FILTERS)
    placeholders = ", ".join(["%s"] * len(FILTERS))
    answer: Json = ask(
        db, f"select api.list_audit({placeholders})", *(filters.get(name) for name in FILTERS)
    )
    return answer


def events(db: Connection) -> list[Json]:
    """What was appended since the last call in this transaction, in order."""
    before = ask(db, "select current_setting('tests.audited', true)") or "0"
    settle(db)
    listed: list[Json] = list_audit(db, limit=1000)["items"][::-1]
    found = [event for event in listed if event["number"] > int(before)]
    if listed:
        db.execute("select set_config('tests.audited', %s, true)", [str(listed[-1]["number"])])
    return found
