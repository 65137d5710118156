"""Calls of the functions of KPIs, and documents for them."""

from __future__ import annotations

import json
from datetime import datetime

from psycopg import Connection

from tests.sql.calls import NOW, Json, ask, fact, ingest_facts, ingest_metrics, metric

NAME = "error_share"
CALLS = {"kind": "cpu", "statistic": "count"}


def known(conn: Connection) -> None:
    """The kinds that the documents name."""
    ingest_metrics(conn, [metric(), metric("visits", type="counter")])
    ingest_facts(conn, [fact("Fact:Deal"), fact("Fact:Sale")])


def kpi(**more: object) -> Json:
    """A document of define_kpi: the share of errors."""
    errors = {**CALLS, "where": {"labels": {"code": "500"}}}
    return {"author": "ann", "numerator": errors, "denominator": CALLS, **more}


def define(conn: Connection, document: object, name: str = NAME, *, now: datetime = NOW) -> Json:
    """The answer to a definition."""
    statement = "select api.define_kpi(%s, %s::jsonb, %s)"
    answer: Json = ask(conn, statement, name, json.dumps(document), now)
    return answer


def delete(conn: Connection, name: str = NAME, author: str = "bob", *, now: datetime = NOW) -> Json:
    """The answer to a deletion."""
    answer: Json = ask(conn, "select api.delete_kpi(%s, %s, %s)", name, author, now)
    return answer


def list_kpis(
    conn: Connection,
    name: str | None = None,
    *,
    limit: int | None = None,
    cursor: str | None = None,
) -> Json:
    """A page of KPIs, or one of them."""
    answer: Json = ask(conn, "select api.list_kpis(%s, %s, %s, %s)", name, limit, cursor, NOW)
    return answer


def query_kpis(
    conn: Connection, window: str | None = "7d", name: str | None = None, *, now: datetime = NOW
) -> Json:
    """The KPIs over a window."""
    answer: Json = ask(conn, "select api.query_kpis(%s, %s, %s)", window, name, now)
    return answer


def measured(
    conn: Connection, window: str = "7d", name: str = NAME, *, now: datetime = NOW
) -> Json:
    """One KPI over a window."""
    (item,) = query_kpis(conn, window, name, now=now)["items"]
    found: Json = item
    return found
