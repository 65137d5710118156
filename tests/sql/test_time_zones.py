"""The time zone of a session changes no answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from tests.sql.calls import (
    Json,
    ask,
    fact,
    ingest_facts,
    ingest_metrics,
    metric,
    query_agg,
    query_facts,
    receipt,
)

# Days of 23, 25, 23.5 and 24.5 hours, and one that does not exist, lie in the windows before it.
NOW = datetime(2025, 11, 15, 12, 34, 56, 789000, tzinfo=UTC)
ZONES = st.sampled_from(
    ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kolkata"]
)
SERIES = "select api.query_metrics(%s, null, null, %s, %s, %s, null, %s)"
QUIET = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))


def answers(db: Connection, zone: str, days: int, step: str) -> list[Json]:
    """What every query answers in a session of that zone."""
    with db.transaction():
        db.execute("select set_config('timezone', %s, true)", [zone])
        start = NOW - timedelta(days=days)
        return [
            query_agg(db, "cpu", f"{days}d", group_by="source", now=NOW),
            query_agg(db, None, f"{24 * days}h", now=NOW),
            query_facts(db, from_=start, now=NOW),
            ask(db, SERIES, "cpu", start, None, step, NOW),
        ]


@QUIET
@given(
    zone=ZONES,
    days=st.integers(1, 190),
    step=st.sampled_from(["1d", "6h", "90m"]),
    hours=st.lists(st.integers(-2, 2), max_size=4),
)
def test_answers_are_the_same_in_every_time_zone(
    db: Connection, zone: str, days: int, step: str, hours: list[int]
) -> None:
    # Around the start of the window and of the one before it.
    around = [NOW - timedelta(days=n * days, hours=h) for n in (1, 2) for h in hours]
    moments = [ts.isoformat() for ts in dict.fromkeys([NOW, *around])]
    with db.transaction(force_rollback=True):
        db.execute("select set_config('timezone', %s, true)", [zone])
        db.execute(
            "select remove_retention_policy('data.sample'), remove_retention_policy('data.fact')"
        )
        ingest_metrics(db, [metric(value=n, ts=ts) for n, ts in enumerate(moments)], now=NOW)
        ingest_facts(db, [fact(value=n, ts=ts) for n, ts in enumerate(moments)], now=NOW)

        assert answers(db, zone, days, step) == answers(db, "UTC", days, step)


@QUIET
@given(zone=ZONES, other=ZONES, age=st.integers(0, 80 * 86_400_000_000))
def test_a_retry_in_another_time_zone_is_a_duplicate(
    db: Connection, zone: str, other: str, age: int
) -> None:
    items = [fact(fact_id="one", ts=(NOW - timedelta(microseconds=age)).isoformat(), value=1)]
    with db.transaction(force_rollback=True):
        db.execute("select set_config('timezone', %s, true)", [zone])
        first = ingest_facts(db, items, now=NOW)
        db.execute("select set_config('timezone', %s, true)", [other])
        again = ingest_facts(db, items, now=NOW)
    assert (first, again) == (receipt(1), receipt(0, duplicate=1))


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_the_digest_of_a_fact_is_of_the_instant(db: Connection, zone: str) -> None:
    ingest_facts(db, fact(fact_id="one", ts="2025-11-15T12:00:00+00:00"), now=NOW)
    db.execute("select set_config('timezone', %s, true)", [zone])

    for ts in ("2025-11-15T12:00:00Z", "2025-11-15T14:00:00+02:00", 1763208000):
        digest = ask(
            db,
            "select digest from internal.check_facts(jsonb_build_array(%s::jsonb), %s, null)",
            f'{{"kind": "Fact:Deal", "source": "crm", "fact_id": "one", "ts": {quoted(ts)}}}',
            NOW,
        )
        assert digest == ask(db, "select digest from data.fact_identity")


def quoted(ts: object) -> str:
    return f'"{ts}"' if isinstance(ts, str) else str(ts)
