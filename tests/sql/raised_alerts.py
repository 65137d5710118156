"""Alerts, silences and maintenance, written as the tables hold them."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import md5

from psycopg import Connection
from psycopg.types.json import Jsonb
from psycopg.types.range import TimestamptzRange

from tests.sql.calls import NOW, Json, ask

EVIDENCE = {"rule_version": 1, "value": 12.5, "observations": 10}


def after(**parts: float) -> datetime:
    """That long after NOW."""
    return NOW + timedelta(**parts)


def written(instant: datetime) -> str:
    """An instant that is a multiple of a millisecond, as answers write it."""
    return instant.isoformat(timespec="milliseconds")


def around(begin: datetime, end: datetime) -> TimestamptzRange:
    """From one instant until another."""
    return TimestamptzRange(begin, end)


def matcher(name: str, operator: str, value: str) -> Json:
    """A condition of a label."""
    return {"name": name, "operator": operator, "value": value}


def add_rule(conn: Connection, name: str) -> int:
    """A rule with one version; its number."""
    rule: int = ask(
        conn,
        "with rule as (insert into data.every_alert_rule (name, created_at) values (%s, %s)"
        " on conflict (namespace, name) do update set name = excluded.name"
        " returning rule_id, xmax),"
        " version as ("
        "insert into data.alert_rule_version (rule_id, version, document, author, valid)"
        " select rule_id, 1, '{}', 'ann', tstzrange(%s, null) from rule where xmax = 0)"
        " select rule_id from rule",
        name,
        NOW - timedelta(days=1),
        NOW - timedelta(days=1),
    )
    return rule


def raise_alert(
    conn: Connection,
    rule: str = "queue_long",
    severity: str = "warning",
    *,
    state: str = "firing",
    since: datetime = NOW - timedelta(hours=1),
    **labels: str,
) -> str:
    """An active alert; its fingerprint."""
    named = {**labels, "alertname": rule, "severity": severity}
    fingerprint = md5(repr(sorted(named.items())).encode(), usedforsecurity=False).hexdigest()[:16]
    conn.execute(
        "insert into data.alert (rule_id, fingerprint, version, label, labels, annotations, state,"
        " active_at, fired_at, value, evidence)"
        " values (%s, %s, 1, %s, %s, %s, %s, %s, %s, 12.5, %s)",
        [
            add_rule(conn, rule),
            fingerprint,
            labels.get("server") or labels.get("source", ""),
            Jsonb(named),
            Jsonb({"summary": f"{rule} is active"}),
            state,
            since,
            since if state == "firing" else None,
            Jsonb(EVIDENCE),
        ],
    )
    return fingerprint


def add_silence(
    conn: Connection,
    id_: str,
    *matchers: Json,
    begin: datetime = NOW - timedelta(hours=1),
    end: datetime = NOW + timedelta(hours=1),
    cancelled: datetime | None = None,
) -> None:
    """A silence."""
    conn.execute(
        "insert into data.silence values (%s, %s, %s, 'ann', 'update', %s, %s, %s)",
        [id_, Jsonb(matchers), around(begin, end), begin, begin, cancelled],
    )


def add_maintenance(
    conn: Connection,
    id_: str,
    server: int,
    *,
    begin: datetime = NOW - timedelta(hours=1),
    end: datetime = NOW + timedelta(hours=1),
) -> None:
    """A maintenance window of one server."""
    conn.execute(
        "insert into data.maintenance values (%s, %s, %s, 'ann', 'update', tstzrange(%s, null))",
        [id_, server, around(begin, end), begin - timedelta(days=1)],
    )


def add_transition(
    conn: Connection,
    id_: str,
    from_state: str = "pending",
    to_state: str = "firing",
    *,
    at: datetime = NOW,
    late: bool = False,
) -> None:
    """A change of the state of an alert that is active."""
    conn.execute(
        "insert into data.alert_transition (at, rule_id, version, fingerprint, labels, from_state,"
        " to_state, value, late, evidence, annotations)"
        " select %s, rule_id, version, fingerprint, labels, %s, %s, value, %s, evidence,"
        " annotations from data.alert where fingerprint = %s",
        [at, from_state, to_state, late, id_],
    )
