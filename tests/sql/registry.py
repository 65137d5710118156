"""Calls of the functions of the registry."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from psycopg import Connection

from tests.sql.calls import NOW, Json, ask

NAME = "io.github.acme/search"


def server_json(version: str = "1.0.0", **more: object) -> Json:
    """A document of register_server."""
    return {"description": "Searches the shop", "version": version, **more}


def tools(*names: str, **described: str) -> Json:
    """Capabilities with these tools; a description sets versions of a tool apart."""
    listed = [{"name": name} for name in names]
    listed += [{"name": name, "description": text} for name, text in described.items()]
    return {"tools": listed}


def register(conn: Connection, document: object, name: str = NAME, *, now: datetime = NOW) -> Json:
    """The answer to a registration."""
    statement = "select answer from api.register_server(%s, %s::jsonb, %s)"
    answer: Json = ask(conn, statement, name, json.dumps(document), now)
    return answer


def get_server(
    conn: Connection, name: str = NAME, as_of: datetime | None = None, *, now: datetime = NOW
) -> Json:
    """A server of the registry."""
    answer: Json = ask(conn, "select api.get_server(%s, %s, %s)", name, as_of, now)
    return answer


def list_servers(conn: Connection, **filters: object) -> Json:
    """A page of servers; filters are status, health, tag, q, limit, cursor."""
    names = ("status", "health", "tag", "q", "limit", "cursor")
    assert set(filters) <= set(names)
    statement = "select api.list_servers(%s, %s, %s, %s, %s, %s, %s)"
    answer: Json = ask(conn, statement, *(filters.get(name) for name in names), NOW)
    return answer


def deregister(
    conn: Connection, name: str = NAME, owner: str | None = None, *, now: datetime = NOW
) -> Json:
    """The answer to the end of a registration."""
    answer: Json = ask(conn, "select api.deregister_server(%s, %s, %s)", name, owner, now)
    return answer


def change_facts(conn: Connection, name: str = NAME) -> list[tuple[str, Any]]:
    """Kind and payload of the facts about a server, in order."""
    return conn.execute(
        "select kind.name, fact.payload"
        " from data.fact join data.series using (series_id) join data.kind using (kind_id)"
        " where subject = %s order by fact.seq",
        [name],
    ).fetchall()
