"""Jobs do their work for every namespace, each within itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from psycopg import Connection
from psycopg.types.json import Jsonb

from tests.jobs.conftest import RunJob
from tests.sql.alerts import above, define
from tests.sql.calls import ask, ingest_metrics, metric
from tests.support.tenants import within

NAMESPACES = ("", "acme", "umbrella")
DURATION = "mcp.server.operation.duration"


@pytest.fixture
def filled(lasting: Connection, clock: datetime) -> Connection:
    """Each namespace has a server, its calls, a rule that fires in umbrella only, a subscriber."""
    for namespace in NAMESPACES:
        value = 9 if namespace == "umbrella" else 1
        failed = {"error.type": "timeout"} if namespace == "acme" else {}
        ts = (clock - timedelta(seconds=30)).isoformat()
        calls = {"bounds": [1], "counts": [50, 0], "sum": 25, "count": 50}
        with within(lasting, namespace):
            ask(
                lasting,
                "select api.register_server('search', %s, %s)",
                Jsonb({"description": "a", "version": "1.0.0", "source": "shop", "probe": False}),
                clock - timedelta(hours=1),
            )
            ingest_metrics(
                lasting,
                [
                    metric("cpu", "shop", value, ts=ts),
                    metric(DURATION, "shop", calls, ts=ts, labels=failed),
                ],
                now=clock,
            )
            define(lasting, above(5))
            ask(
                lasting,
                "select api.subscribe('hook', %s, %s)",
                Jsonb({"author": "ann", "url": "https://a.example", "alerts": {}}),
                clock,
            )
    return lasting


def test_jobs_work_for_every_namespace(filled: Connection, run_job: RunJob) -> None:
    run_job("snapshot_aggregates", None)
    run_job("observe_traffic", None)
    run_job("evaluate_alerts", None)

    snapshots = filled.execute(
        "select kind.namespace, aggregate.answer ->> 'max' from data.aggregate"
        " inner join data.every_kind as kind using (kind_id)"
        " where kind.name = 'cpu' and window_name = '7d' order by 1"
    ).fetchall()
    assert snapshots == [("", "1"), ("acme", "1"), ("umbrella", "9")]
    traffic = filled.execute(
        "select server.namespace, report.status from data.health_report as report"
        " inner join data.every_server as server using (server_id)"
        " where signal = 'traffic' order by 1"
    ).fetchall()
    assert traffic == [("", "up"), ("acme", "down"), ("umbrella", "up")]
    assert ask(filled, "select array_agg(namespace) from data.every_alert") == ["umbrella"]
    assert ask(filled, "select count(*) from data.every_alert_rule where evaluated_at is null") == 0
    queued = filled.execute(
        "select subscription.namespace from data.outbox"
        " inner join data.every_subscription as subscription using (subscription_id)"
    ).fetchall()
    assert queued == [("umbrella",)]
    assert ask(filled, "select internal.namespace()") == ""

    later = datetime.now(UTC) + timedelta(minutes=10)
    taken = ask(filled, "select api.take_deliveries(10, %s)", later)
    assert len(taken) == 1
