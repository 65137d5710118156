"""What needs rows for longer than a retention would keep them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from psycopg import Connection

from tests.sql.alert_rules import condition, define, delete, rule
from tests.sql.calls import NOW, ask, ingest_metrics, metric

DAY = timedelta(days=1)
ROLLED_UP = "A day is rolled up when it is over and no late samples come any more."
ASKED = "The job snapshot_aggregates asks for windows of up to 30 days."
LOOKS_BACK = "Its condition looks back 10 days."


def needs(conn: Connection, relation: str, keep: str) -> list[tuple[str, timedelta, str]]:
    """Who needs the rows of a relation for longer, for how long, and why."""
    return conn.execute(
        # A need of a thousand years is more than Python has.
        "select needed_by, least(needed, '9999 days'), reason"
        " from internal.retention_needs(%s, %s::interval) order by needed_by",
        [relation, keep],
    ).fetchall()


@pytest.fixture
def db(db: Connection) -> Connection:
    """Rules: one whose window was longer before, one that is deleted."""
    ingest_metrics(db, metric())
    define(db, rule(condition(window="20d")), "shorter")
    define(db, rule(condition(window="10d")), "shorter")
    define(db, rule(condition(window="25d")), "gone")
    delete(db, "gone")
    return db


def only(conn: Connection, *policies: str) -> None:
    """Leave of the jobs of rollups and snapshots these."""
    conn.execute(
        "select delete_job(job_id) from ops.policies where policy <> all(%s)"
        " and policy in ('refresh_rollups', 'refresh_late', 'snapshot_aggregates')",
        [list(policies)],
    )


def test_samples_are_needed_by_rollups_snapshots_and_alert_rules(db: Connection) -> None:
    by = [(name, reason) for name, _, reason in needs(db, "data.sample", "1 day")]
    assert by == [
        ("alert rule shorter", LOOKS_BACK),
        ("refresh", ROLLED_UP),
        ("snapshot_aggregates", ASKED),
    ]
    assert needs(db, "data.sample", "29 days") == [("snapshot_aggregates", 30 * DAY, ASKED)]
    assert needs(db, "data.sample", "30 days") == []


def test_what_is_made_of_rows_is_not_kept_for_longer_than_what_they_are_made_of(
    db: Connection,
) -> None:
    assert needs(db, "data.sample", "400 days") == []
    assert needs(db, "data.sample", "401 days") == [
        (
            f"data.{name}",
            9999 * DAY,
            f"Raise the retention of data.{name} first: rollups outlive what they are made of.",
        )
        for name in ("kind_1h", "sample_1h")
    ]
    longest = "select needed = interval '1000 years' from internal.retention_needs(%s, '401 days')"
    assert ask(db, longest, "data.sample")


@pytest.mark.parametrize(
    ("relation", "keep", "finer"),
    [
        ("sample_1h", 90, "sample"),
        ("kind_1h", 90, "sample"),
        ("sample_1d", 400, "sample_1h"),
        ("kind_1d", 400, "kind_1h"),
    ],
)
def test_rollups_are_kept_as_long_as_what_they_are_made_of(
    db: Connection, relation: str, keep: int, finer: str
) -> None:
    assert needs(db, f"data.{relation}", f"{keep} days") == []
    assert needs(db, f"data.{relation}", f"{keep - 1} days") == [
        (
            f"data.{finer}",
            keep * DAY,
            f"Keep data.{relation} at least as long as data.{finer},"
            f" or shorten the retention of data.{finer} first.",
        )
    ]


@pytest.mark.parametrize(
    ("relation", "names"),
    [
        ("sample_1h", ["alert rule shorter", "data.sample", "refresh", "snapshot_aggregates"]),
        ("kind_1h", ["alert rule shorter", "data.sample", "refresh", "snapshot_aggregates"]),
        ("sample_1d", ["data.sample_1h", "snapshot_aggregates"]),
        ("kind_1d", ["data.kind_1h", "snapshot_aggregates"]),
        ("fact", []),
    ],
)
def test_each_relation_is_needed_by_what_reads_it(
    db: Connection, relation: str, names: list[str]
) -> None:
    assert [name for name, *_ in needs(db, f"data.{relation}", "1 day")] == names


@pytest.mark.parametrize(
    ("job", "needed"),
    [
        ("refresh_rollups", 2 * DAY + timedelta(minutes=20)),
        ("refresh_late", 2 * DAY + timedelta(minutes=10)),
        ("snapshot_aggregates", 2 * DAY),
    ],
)
def test_a_day_is_needed_until_it_is_rolled_up(db: Connection, job: str, needed: timedelta) -> None:
    only(db, job)

    found = {name: length for name, length, _ in needs(db, "data.sample", "1 day")}
    assert found["refresh"] == needed


def test_without_jobs_no_rollup_needs_samples(db: Connection) -> None:
    only(db)

    assert [name for name, *_ in needs(db, "data.sample", "1 day")] == ["alert rule shorter"]


def test_the_rules_of_every_namespace_need_samples(db: Connection) -> None:
    db.execute("select set_config('supervisor.namespace', 'acme', true)")
    ingest_metrics(db, metric(), now=NOW)
    define(db, rule(condition(window="15d")), "other")
    db.execute("select set_config('supervisor.namespace', '', true)")

    assert [name for name, *_ in needs(db, "data.sample", "12 days")] == [
        "alert rule other",
        "snapshot_aggregates",
    ]
