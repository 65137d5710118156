"""Back-tests of rules, suggestions of thresholds, and samples for both."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection
from psycopg.types.json import Jsonb

from tests.sql.calls import NOW, Json, ago, ask, ingest_metrics, metric

HOUR = timedelta(hours=1)


def backtest(
    conn: Connection,
    rule: Json | None,
    *,
    name: str | None = None,
    since: datetime | None = NOW - HOUR,
    until: datetime | None = NOW,
    step: str | None = "1m",
    incidents: list[Json] | None = None,
    incident_kind: str | None = None,
    points: int | None = None,
) -> Json:
    """The answer to a back-test."""
    answer: Json = ask(
        conn,
        "select api.backtest_alert_rule(%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        None if rule is None else Jsonb(rule),
        name,
        since,
        until,
        step,
        None if incidents is None else Jsonb(incidents),
        incident_kind,
        points,
        NOW,
    )
    return answer


def suggest(conn: Connection, condition: object, per_month: int | None, **times: Any) -> Json:
    """The answer to a suggestion."""
    answer: Json = ask(
        conn,
        "select api.suggest_threshold(%s, %s, %s, %s, %s, %s)",
        Jsonb(condition),
        per_month,
        times.get("since", NOW - HOUR),
        times.get("until", NOW),
        times.get("step", "1m"),
        NOW,
    )
    return answer


def fill_busy(conn: Connection) -> None:
    """Minutes 40 to 31 ago and 10 to 1 ago have high values."""
    ingest_metrics(
        conn,
        [
            metric(value=9 if n % 30 <= 10 and n % 30 else 1, ts=ago(minutes=n))
            for n in range(1, 60)
        ],
    )
