"""The jobs that expire states, look at traffic and prune the history of health."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg import Connection
from psycopg.types.range import TimestamptzRange

from tests.sql.calls import NOW, Item, ask, ingest_metrics, metric
from tests.sql.reports import add_server, at, history, record, state
from tests.sql.test_heartbeat import heartbeat

DURATION = "mcp.server.operation.duration"
LOOK = "observe_traffic"


def expire(db: Connection, seconds: float) -> int:
    count: int = ask(db, "select internal.expire_states(%s)", at(seconds))
    return count


def test_silent_states_become_unknown_since_their_end(db: Connection) -> None:
    server = add_server(db)
    record(db, server, [(0, "up")])
    before = history(db, server, now=at(1000))

    assert expire(db, 180) == 0
    assert expire(db, 181) == 1
    assert expire(db, 1000) == 0
    assert state(db, server) == ("unknown", 180)
    assert history(db, server, now=at(1000)) == before == [("up", 0, 180)]


def test_only_what_is_silent_becomes_unknown(db: Connection) -> None:
    servers = [add_server(db, name) for name in ("a", "b")]
    record(db, servers[0], [(0, "up")])
    record(db, servers[0], [(100, "up")], signal="probe")
    record(db, servers[1], [(100, "up")])

    assert expire(db, 200) == 1
    assert state(db, servers[0]) == ("unknown", 180)
    assert state(db, servers[0], "probe") == state(db, servers[1]) == ("up", 100)


def test_the_jobs_of_health_and_how_long_reports_are_kept(db: Connection) -> None:
    jobs = db.execute(
        "select proc_name, schedule_interval, config from timescaledb_information.jobs"
        " where proc_name in ('expire_health', 'observe_traffic') order by 1"
    ).fetchall()
    kept = ask(
        db,
        "select jsonb_object_agg(name, value) from timescaledb_information.jobs"
        " cross join jsonb_each_text(config) as entry (name, value)"
        " where hypertable_name = 'health_report' and name like '%%after'",
    )

    minute = timedelta(minutes=1)
    traffic = {
        "metric": DURATION,
        "failed": '$."error.type"',
        "window": "5 minutes",
        "degraded": 0.05,
        "down": 0.5,
        "least_calls": 10,
    }
    assert jobs == [("expire_health", minute, None), ("observe_traffic", minute, traffic)]
    assert kept == {"drop_after": "30 days", "compress_after": "2 days"}


def test_a_silent_keep_alive_becomes_unknown_and_recovers(db: Connection) -> None:
    server = add_server(db, keepalive=10)
    heartbeat(db, ["acme/search"], at(0))
    expire(db, 100)
    heartbeat(db, ["acme/search"], at(200))

    assert history(db, server, "keepalive", now=at(210)) == [("up", 0, 30), ("up", 200, 210)]


@pytest.mark.parametrize("late", [90, 179])
def test_a_report_that_comes_after_the_expiry_of_its_time_moves_nothing(
    db: Connection, late: float
) -> None:
    server = add_server(db)
    record(db, server, [(0, "up")])
    expire(db, 500)

    assert record(db, server, [(late, "down")]) == (1, 0, 1)
    assert record(db, server, [(180, "up")]) == (1, 0, 0)
    assert history(db, server, now=at(200)) == [("up", 0, 180), ("up", 180, 200)]


def calls(
    count: int,
    tool: str = "a",
    error: str | None = None,
    *,
    seconds: float = 10,
    source: str = "search-mcp",
) -> Item:
    """A histogram of durations of that many calls."""
    value = {"bounds": [1], "counts": [count, 0], "sum": count / 2, "count": count}
    ts = (NOW - timedelta(seconds=seconds)).isoformat()
    labels = {"tool": tool, **({"error.type": error} if error else {})}
    return metric(DURATION, source, value, ts=ts, labels=labels)


def observed(db: Connection, **config: Any) -> list[tuple[Any, ...]]:
    """Server, status and detail of what the job would report at NOW."""
    shipped: dict[str, Any] = ask(
        db, "select config from timescaledb_information.jobs where proc_name = 'observe_traffic'"
    )
    rows = db.execute(
        "select server.name, report.status, report.detail"
        " from unnest(internal.traffic_reports(%s::jsonb || %s::jsonb, %s)) as report"
        " inner join data.server using (server_id) order by 1",
        [json.dumps(shipped), json.dumps(config), NOW],
    )
    return rows.fetchall()


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        (0, ("up", "0 % errors (0 of 100 calls)")),
        (4, ("up", "4 % errors (4 of 100 calls)")),
        (5, ("degraded", "5 % errors (5 of 100 calls)")),
        (40, ("degraded", "40 % errors (40 of 100 calls)")),
        (50, ("down", "50 % errors (50 of 100 calls)")),
    ],
)
def test_the_share_of_errors_is_the_status_of_traffic(
    db: Connection, errors: int, expected: tuple[str, str]
) -> None:
    add_server(db, source="search-mcp")
    failed = [calls(errors, error="timeout")] if errors else []
    ingest_metrics(db, [calls(10), calls(90 - errors, "b"), *failed])

    assert observed(db) == [("acme/search", *expected)]


def test_only_calls_of_the_window_count(db: Connection) -> None:
    add_server(db, source="search-mcp")
    now = NOW + timedelta(minutes=1)
    outside = [calls(20, error="x", seconds=seconds) for seconds in (400, 300, -1)]
    ingest_metrics(db, [*outside, calls(15, seconds=299), calls(5, seconds=0)], now=now)
    ingest_metrics(db, metric("other", "search-mcp", 7, ts=NOW.isoformat()), now=now)

    assert observed(db) == [("acme/search", "up", "0 % errors (0 of 20 calls)")]


def test_without_enough_calls_there_is_no_report(db: Connection) -> None:
    add_server(db, source="search-mcp")
    add_server(db, "no-source")
    ingest_metrics(db, [calls(9), calls(50, source="other")])

    assert observed(db) == []
    assert len(observed(db, least_calls=9)) == 1


def test_a_look_reaches_from_the_end_of_its_window_back_to_its_begin(db: Connection) -> None:
    add_server(db, source="search-mcp")
    edges = ((300, 20), (299.999999, 30), (0, 50), (-0.000001, 90))
    ingest_metrics(db, [calls(n, f"t{n}", seconds=seconds) for seconds, n in edges])

    assert observed(db) == [("acme/search", "up", "0 % errors (0 of 80 calls)")]


def test_one_call_is_enough_where_that_is_asked_for_and_none_never_is(db: Connection) -> None:
    add_server(db, "some", source="search-mcp")
    add_server(db, "none", source="other")
    ingest_metrics(db, [calls(1, error="timeout"), calls(2), calls(0, source="other")])

    seen = [("some", "degraded", "33.3 % errors (1 of 3 calls)")]
    assert observed(db, least_calls=0) == observed(db, least_calls=3) == seen
    assert observed(db, least_calls=4) == []
    ingest_metrics(db, calls(1, "b", source="other"))
    assert [name for name, *_ in observed(db, least_calls=1)] == ["none", "some"]


def test_a_report_takes_one_call_at_least(db: Connection) -> None:
    add_server(db, "idle", source="idle-mcp")
    add_server(db, source="search-mcp")
    for seconds in (100, 10):
        ts = (NOW - timedelta(seconds=seconds)).isoformat()
        ingest_metrics(db, metric("calls_total", "idle-mcp", 5, type="counter", ts=ts))
    ingest_metrics(
        db,
        [
            metric(
                "calls_total",
                "search-mcp",
                value,
                type="counter",
                ts=(NOW - timedelta(seconds=seconds)).isoformat(),
            )
            for seconds, value in ((100, 5), (10, 6))
        ],
    )

    found = observed(db, metric="calls_total", least_calls=0)
    assert found == [("acme/search", "up", "0 % errors (0 of 1 calls)")]


def test_counters_with_other_labels_can_be_named(db: Connection) -> None:
    add_server(db, source="search-mcp")
    ingest_metrics(
        db,
        [
            metric(
                "calls_total",
                "search-mcp",
                value,
                type="counter",
                labels={"outcome": outcome},
                ts=(NOW - timedelta(seconds=seconds)).isoformat(),
            )
            for outcome, readings in {"ok": (1000, 1030, 5), "error": (7, 17, 37)}.items()
            for seconds, value in zip((200, 100, 10), readings, strict=True)
        ],
    )

    config = {"metric": "calls_total", "failed": '$.outcome ? (@ == "error")'}
    assert observed(db, **config) == [("acme/search", "degraded", "46.2 % errors (30 of 65 calls)")]


def test_servers_that_share_a_source_share_what_its_callers_see(db: Connection) -> None:
    for name in ("a", "b"):
        add_server(db, name, source="search-mcp")
    add_server(db, "gone", source="search-mcp", deregistered=at(0))
    ingest_metrics(db, calls(10))

    assert [name for name, *_ in observed(db)] == ["a", "b"]


def test_the_job_reports_what_it_sees(db: Connection) -> None:
    server = add_server(db, source="search-mcp")
    now: datetime = ask(db, "select now()")
    value = {"bounds": [1], "counts": [20, 0], "sum": 3, "count": 20}
    ingest_metrics(db, metric(DURATION, "search-mcp", value), now=now)
    job = "select job_id, config from timescaledb_information.jobs where proc_name = %s"
    number, config = db.execute(job, ["observe_traffic"]).fetchone() or (0, {})
    db.execute("call internal.observe_traffic(%s, %s)", [number, json.dumps(config)])

    assert state(db, server, "traffic")[0] == "up"


def test_traffic_is_known_from_one_look_to_the_next(db: Connection) -> None:
    server = add_server(db, keepalive=1)
    record(db, server, [(0, "up")], signal="traffic")

    assert history(db, server, "traffic", now=at(1000)) == [("up", 0, 180)]


def test_the_history_of_health_is_pruned_after_years(db: Connection) -> None:
    server = add_server(db)
    now = datetime.now(UTC)
    # That of services that other tests run.
    db.execute("delete from data.service_uptime")
    for days in (1820, 1840):
        during = TimestamptzRange(now - timedelta(days=days, hours=1), now - timedelta(days=days))
        db.execute(
            "insert into data.health_interval values (%s, 'probe', 'up', %s)", [server, during]
        )
        db.execute("insert into data.service_uptime values (%s)", [during])
    config = ask(db, "select config from timescaledb_information.jobs where proc_name = 'prune'")
    db.execute("call internal.prune(0, %s)", [json.dumps(config)])

    assert ask(db, "select count(*) from data.health_interval") == 1
    assert ask(db, "select count(*) from data.service_uptime") == 1
