"""Subscriptions of tests, alerts that fire for them, and what is delivered."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection
from psycopg.types.json import Jsonb

from tests.sql.alerts import above, define, evaluate
from tests.sql.calls import NOW, Json, ago, ask, ingest_metrics, metric

SECOND = timedelta(seconds=1)
AT_ONCE = {"group_wait": "0s", "group_interval": "0s"}


def subscribe(
    conn: Connection, name: str = "pager", *, now: datetime = NOW, **members: Any
) -> Json:
    """The answer to a subscription."""
    document = {"author": "ann", "url": "https://hooks.example.com/pager", **members}
    answer: Json = ask(conn, "select api.subscribe(%s, %s, %s)", name, Jsonb(document), now)
    return answer


def take(conn: Connection, now: datetime = NOW, *, limit: int = 100) -> list[Json]:
    """The deliveries that are due."""
    answer: list[Json] = ask(conn, "select api.take_deliveries(%s, %s)", limit, now)
    return answer


def record(conn: Connection, delivery: Json, *, now: datetime = NOW, **result: Any) -> list[Json]:
    """What has become of a delivery, as it was noted."""
    result = {"delivery_id": delivery["delivery_id"], "retry": True, "jitter": 0.5, **result}
    noted: list[Json] = ask(conn, "select api.record_deliveries(%s, %s)", Jsonb([result]), now)
    return noted


def enqueue(conn: Connection, now: datetime) -> int:
    """Enqueue what subscribers are to be notified of; how many alerts that are."""
    count: int = ask(conn, "select internal.enqueue_alerts(%s)", now)
    return count


def define_by_source(conn: Connection) -> None:
    """A rule that fires by source."""
    ingest_metrics(conn, [metric(value=0, ts=ago(minutes=30))])
    define(conn, above(2, group_by="source"))


def fire(conn: Connection, *sources: str, now: datetime = NOW, value: float = 3) -> None:
    """Samples on which `cpu_high` fires for sources."""
    earlier = (now - SECOND).isoformat()
    items = [metric(source=source, value=value, ts=earlier) for source in sources]
    ingest_metrics(conn, items, now=now)
    evaluate(conn, now)


def sources(delivery: Json) -> list[str]:
    """The states and sources of the alerts of a delivery."""
    return [
        f"{alert['status']} {alert['labels']['source']}" for alert in delivery["payload"]["alerts"]
    ]
