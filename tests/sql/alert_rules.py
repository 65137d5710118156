"""Calls of the functions of alert rules, and documents for them."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from psycopg import Connection

from tests.sql.calls import (
    NOW,
    Json,
    ask,
    fact,
    histogram,
    ingest_facts,
    ingest_metrics,
    metric,
    refused,
)
from tests.sql.registry import register, server_json

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


ABSENT: Json = {"type": "metric", "kind": "cpu", "statistic": "absent", "window": "10m"}
DURING: Json = {name: value for name, value in condition().items() if name != "type"}
AFTER: Json = {
    "type": "fact",
    "kind": "Fact:Sale",
    "within": "10m",
    "after": {"kind": "Fact:Deal"},
    "window": "1h",
}
SHARE: Json = {
    "kind": "cpu",
    "statistic": "count",
    "where": {"labels": {"code": "500"}},
    "divided_by": {"kind": "cpu", "statistic": "count"},
}
CONDITIONS: dict[str, Json] = {
    "metric": condition(
        where={"source": "web", "labels": {"a": "b"}, "has": ["error.type"]},
        group_by="label.region",
    ),
    "ratio": condition(**SHARE, threshold=0.05, group_by="source"),
    "change": condition(compare="change", threshold=-0.5, operator="<=", window="15d"),
    "absent": {**ABSENT, "group_by": "source"},
    "health": {"type": "health", "statuses": ["down", "degraded"], "servers": ["shop"]},
    "keepalive": {"type": "keepalive", "tags": ["shop"]},
    "burn rate of servers": {"type": "burn_rate", "tags": ["shop"]},
    "burn rate of metrics": {
        "type": "burn_rate",
        **SHARE,
        "group_by": "source",
        "target": 99.5,
        "pairs": [{"factor": 2, "short": "5m", "long": "30d"}],
    },
    "fact after a fact": {**AFTER, "present": False, "join": "subject"},
    "fact during a condition": {
        "type": "fact",
        "kind": "Fact:Sale",
        "within": "10m",
        "join": "none",
        "during": {**DURING, "group_by": "label.region"},
    },
}


def known(conn: Connection) -> None:
    """The kinds and the server that the conditions name."""
    ingest_metrics(conn, metric())
    ingest_metrics(conn, histogram([1, 2], [1, 2, 3], 9))
    ingest_facts(conn, [fact("Fact:Deal"), fact("Fact:Sale")])
    register(conn, server_json(), "shop")


def rule(given: Json | None = None, **more: object) -> Json:
    """A document of define_alert_rule."""
    return {"author": "ann", "condition": condition() if given is None else given, **more}


def define(conn: Connection, document: object, name: str = NAME, *, now: datetime = NOW) -> Json:
    """The answer to a definition."""
    statement = "select api.define_alert_rule(%s, %s::jsonb, %s)"
    answer: Json = ask(conn, statement, name, json.dumps(document), now)
    return answer


def faults(conn: Connection, document: object, name: str = NAME) -> list[tuple[str, str]]:
    """Field and slug of every rule for which a document is refused."""
    with refused(conn, "document_refused") as refusal:
        define(conn, document, name)
    assert refusal.message.startswith("invalid ")
    listed = refusal.params["faults"]
    assert all(fault["detail"].endswith((".", "/-", ":-")) for fault in listed)
    return [(fault["field"], fault["slug"]) for fault in listed]


def detail(conn: Connection, document: object) -> str:
    """What the only fault of a document says."""
    with refused(conn, "document_refused") as refusal:
        define(conn, document)
    (fault,) = refusal.params["faults"]
    return str(fault["detail"])


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


def list_rules(conn: Connection, **filters: object) -> Json:
    """A page of rules, or one of them; filters are name, q, deleted, limit, cursor."""
    names = ("name", "q", "deleted", "limit", "cursor")
    assert set(filters) <= set(names)
    statement = "select api.list_alert_rules(%s, %s, %s, %s, %s, %s)"
    answer: Json = ask(conn, statement, *(filters.get(name) for name in names), NOW)
    return answer


def delete(conn: Connection, name: str = NAME, author: str = "bob", *, now: datetime = NOW) -> Json:
    """The answer to a deletion."""
    answer: Json = ask(conn, "select api.delete_alert_rule(%s, %s, %s)", name, author, now)
    return answer


def raise_alert(conn: Connection, state: str, *, name: str = NAME, source: str = "web") -> None:
    """Give a rule an alert, as its evaluation would."""
    alert = {
        "fingerprint": source,
        "version": 1,
        "label": source,
        "labels": {"alertname": name, "source": source},
        "annotations": {},
        "state": state,
        "active_at": NOW.isoformat(),
        "fired_at": NOW.isoformat() if state == "firing" else None,
        "value": 5,
        "evidence": {"rule_version": 1},
    }
    conn.execute(
        "insert into data.alert select (jsonb_populate_record("
        "null::data.alert, %s::jsonb || jsonb_build_object("
        "'rule_id', rule_id, 'namespace', namespace))).*"
        " from data.alert_rule where name = %s",
        [json.dumps(alert), name],
    )
