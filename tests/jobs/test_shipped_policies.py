"""What a deploy ships: how long rows are kept, when they are converted and when jobs run."""

from __future__ import annotations

import pytest
from psycopg import Connection
from psycopg.types.json import Jsonb

from tests.sql.calls import Json, ask

KEPT = {
    "aggregate": "400 days",
    "alert_transition": "1830 days",
    "fact": "5 years",
    "health_report": "30 days",
    "kind_1d": "1830 days",
    "kind_1h": "400 days",
    "kind_change": "1 hour",
    "sample": "90 days",
    "sample_1d": "1830 days",
    "sample_1h": "400 days",
}
CONVERTED = {
    "aggregate": "8 days",
    "alert_transition": "60 days",
    "fact": "8 days",
    "health_report": "2 days",
    "kind_1d": "100 days",
    "kind_1h": "8 days",
    "sample": "1 day",
    "sample_1d": "100 days",
    "sample_1h": "8 days",
}
# By the file of sql/policies that ships it.
JOBS: dict[str, tuple[str, str, Json]] = {
    "aggregate": ("snapshot_aggregates", "1 hour", {"windows": ["7d", "30d"]}),
    "alert_rule": ("evaluate_alerts", "15 seconds", {"rules": 34, "statement_timeout": "5 s"}),
    "health_report": (
        "observe_traffic",
        "1 minute",
        {
            "metric": "mcp.server.operation.duration",
            "failed": '$."error.type"',
            "window": "5 minutes",
            "degraded": 0.05,
            "down": 0.5,
            "least_calls": 10,
        },
    ),
    "health_state": ("expire_health", "1 minute", {}),
    "idempotency_key": (
        "prune",
        "1 day",
        {
            "idempotency_keys": "7 days",
            "conflicts": "90 days",
            "restatements": "400 days",
            "proofs": "400 days",
            "health_intervals": "1830 days",
            "deliveries": "7 days",
        },
    ),
    "late": ("refresh_late", "1 minute", {"settle": "1 minute"}),
    "pin": ("keep_pins", "1 hour", {}),
    "proof": ("prove", "1 day", {"buckets": 4}),
    "recent_hour": (
        "refresh_recent",
        "2 minutes",
        {"end_offset": "2 minutes", "min_samples": 1000, "samples_per_row": 20},
    ),
    "rollups": ("refresh_rollups", "10 minutes", {"end_offset": "20 minutes"}),
    "series": ("prune_catalogue", "1 day", {"grace": "1 day"}),
}
SETTING = """
select (config ->> %s)::interval = %s::interval from ops.policies
where relation = %s and policy = %s
"""


@pytest.mark.parametrize("relation", KEPT)
def test_rows_are_kept_for_as_long_as_is_shipped(db: Connection, relation: str) -> None:
    shipped = ("drop_after", KEPT[relation], f"data.{relation}", "policy_retention")
    assert ask(db, SETTING, *shipped) is True


@pytest.mark.parametrize("relation", CONVERTED)
def test_chunks_are_converted_as_soon_as_is_shipped(db: Connection, relation: str) -> None:
    shipped = ("compress_after", CONVERTED[relation], f"data.{relation}", "policy_compression")
    assert ask(db, SETTING, *shipped) is True


@pytest.mark.parametrize("file", JOBS)
def test_jobs_run_as_often_and_with_the_config_that_is_shipped(db: Connection, file: str) -> None:
    procedure, interval, config = JOBS[file]
    rows = db.execute(
        "select schedule_interval = %s::interval, coalesce(config, '{}') = %s from ops.policies"
        " where policy = %s and relation = 'internal.' || %s",
        [interval, Jsonb(config), procedure, procedure],
    ).fetchall()
    assert rows == [(True, True)]


def test_changes_of_kinds_are_dropped_every_hour(db: Connection) -> None:
    interval = (
        "select schedule_interval = interval '1 hour' from ops.policies"
        " where relation = 'data.kind_change'"
    )
    assert ask(db, interval) is True
