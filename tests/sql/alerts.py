"""Alert rules of tests, their readings and evaluation, and what has become of their alerts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from tests.sql.calls import NOW, Json, ask

# What is defined now is evaluated later.
DEFINED = NOW - timedelta(days=400)


def above(threshold: float, **more: Any) -> Json:
    """A condition on the mean of the last 5 minutes of `cpu`."""
    return {
        "type": "metric",
        "kind": "cpu",
        "statistic": "avg",
        "window": "5m",
        "operator": ">",
        "threshold": threshold,
        **more,
    }


def define(conn: Connection, condition: Json, *, name: str = "cpu_high", **members: Any) -> int:
    """The number of a new rule."""
    document = {"condition": condition, **members}
    rule: int = ask(
        conn,
        "insert into data.alert_rule (name, created_at) values (%s, %s) returning rule_id",
        name,
        DEFINED,
    )
    conn.execute(
        """
        insert into data.alert_rule_version (rule_id, version, document, author, valid)
        values (%s, 1, internal.alert_rule_defaults(%s), 'ann', tstzrange(%s, null))
        """,
        (rule, Jsonb(document), DEFINED),
    )
    return rule


def evaluate(conn: Connection, now: datetime = NOW) -> int:
    """Evaluate every rule at a time; the number of transitions."""
    count: int = ask(
        conn,
        "select internal.evaluate_alert_rules(array(select rule_id from data.alert_rule), %s)",
        now,
    )
    return count


def readings(conn: Connection, condition: Json, now: datetime = NOW) -> dict[str, Any]:
    """The value of each group under a condition."""
    rule = define(conn, condition, name=f"rule_{ask(conn, 'select count(*) from data.alert_rule')}")
    rows = conn.execute(
        """
        select label, value from internal.measure_conditions(
            array(select stated from data.alert_rule_version as stated where rule_id = %s),
            %s, %s, '1 s'
        )
        """,
        (rule, now, now),
    ).fetchall()
    return dict(rows)


def transitions(conn: Connection) -> list[str]:
    """The states that alerts went through, in order, with the group where there is one."""
    return [
        f"{to} {label}".strip()
        for to, label in conn.execute(
            """
            select to_state, coalesce(labels ->> 'source', labels ->> 'server', '')
            from data.alert_transition order by transition_id
            """
        )
    ]


def newest(conn: Connection) -> Json:
    """The newest transition."""
    with conn.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(
            "select * from data.alert_transition order by transition_id desc limit 1"
        ).fetchone()
    assert row is not None
    return row


def alerts(conn: Connection) -> dict[str, str]:
    """The state of each alert by its group."""
    rows: list[tuple[str, str]] = conn.execute("select label, state from data.alert").fetchall()
    return dict(rows)
