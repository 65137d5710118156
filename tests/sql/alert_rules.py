"""Calls of the functions of alert rules, and documents for them."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from psycopg import Connection

from tests.sql.calls import NOW, Json, ask

NAME = "queue_long"


def condition(**more: object) -> Json:
    """A condition on the metric `cpu`."""
    return {
        "type": "metric",
        "kind": "cpu",
        "statistic": "avg",
        "window": "5m",
        "operator": ">",
        "threshold": 90,
        **more,
    }


def rule(given: Json | None = None, **more: object) -> Json:
    """A document of define_alert_rule."""
    return {"author": "ann", "condition": condition() if given is None else given, **more}


def define(conn: Connection, document: object, name: str = NAME, *, now: datetime = NOW) -> Json:
    """The answer to a definition."""
    statement = "select api.define_alert_rule(%s, %s::jsonb, %s)"
    answer: Json = ask(conn, statement, name, json.dumps(document), now)
    return answer


def stored(conn: Connection, name: str = NAME) -> Json:
    """The document of the newest version of a rule."""
    document: Json = ask(
        conn,
        "select document from data.alert_rule_version join data.alert_rule using (rule_id)"
        " where name = %s order by version desc limit 1",
        name,
    )
    return document


def versions(conn: Connection, name: str = NAME) -> list[tuple[Any, ...]]:
    """Number and author of every version, in order."""
    return conn.execute(
        "select version, author from data.alert_rule_version join data.alert_rule using (rule_id)"
        " where name = %s order by version",
        [name],
    ).fetchall()
