"""How fast servers and metrics burn their budgets, in two windows at once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from psycopg import Connection

from tests.sql.alerts import alerts, define, evaluate, newest, readings
from tests.sql.calls import NOW, ago, ingest_metrics, metric
from tests.sql.watched_servers import lasted, run_service, server

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def watched(db: Connection) -> Connection:
    """The service has been running for ten days, and runs."""
    run_service(db)
    return db


def test_a_fast_burn_fires(watched: Connection) -> None:
    """2 % of an hour is 20 times the budget of 99.9 %."""
    number = server(watched, since=NOW - DAY)
    lasted(watched, number, "up", NOW - DAY, NOW - 72 * SECOND)
    lasted(watched, number, "down", NOW - 72 * SECOND, NOW + HOUR)
    define(watched, {"type": "burn_rate"})

    evaluate(watched)

    assert alerts(watched) == {"acme/search": "firing"}
    assert newest(watched)["value"] == pytest.approx(20)


def test_a_burn_that_has_ended_does_not_fire(watched: Connection) -> None:
    number = server(watched, since=NOW - DAY)
    lasted(watched, number, "up", NOW - DAY, NOW - 30 * MINUTE)
    lasted(watched, number, "down", NOW - 30 * MINUTE, NOW - 28 * MINUTE)
    lasted(watched, number, "up", NOW - 28 * MINUTE, NOW + HOUR)
    define(watched, {"type": "burn_rate", "pairs": [{"factor": 14.4, "short": "5m", "long": "1h"}]})

    evaluate(watched)

    assert alerts(watched) == {}


def test_a_server_known_for_minutes_burns_no_budget_of_hours(watched: Connection) -> None:
    number = server(watched, since=NOW - 25 * MINUTE)
    lasted(watched, number, "up", NOW - 25 * MINUTE, NOW - 5 * MINUTE)
    lasted(watched, number, "down", NOW - 5 * MINUTE, NOW + HOUR)
    define(watched, {"type": "burn_rate"})

    # Half of the hour is known five minutes later.
    evaluate(watched, NOW + 5 * MINUTE - SECOND)
    assert alerts(watched) == {}
    evaluate(watched, NOW + 5 * MINUTE)

    assert alerts(watched) == {"acme/search": "firing"}


def test_a_burn_rate_of_metrics_needs_a_target(db: Connection) -> None:
    ingest_metrics(
        db,
        [
            metric("errors", value=5, ts=ago(minutes=1)),
            metric("calls", value=100, ts=ago(minutes=1)),
        ],
    )
    condition = {
        "type": "burn_rate",
        "kind": "errors",
        "statistic": "sum",
        "divided_by": {"kind": "calls", "statistic": "sum"},
        "target": 99,
        "pairs": [{"factor": 4, "short": "5m", "long": "1h"}],
    }

    assert readings(db, condition)[""] == pytest.approx(5)


# Minutes ago, failed, and calls: by the quarter that may fail, the rates of 5 minutes, 30 minutes,
# an hour and six hours are 3, 2.5, 2 and 1 of one source, 1, 1.5, 2 and 3 of the other.
BURNS = {
    "falling": [(1, 3, 4), (20, 2, 4), (40, 1, 4), (180, 2, 20)],
    "rising": [(1, 1, 4), (20, 2, 4), (40, 3, 4), (180, 18, 20)],
}


@pytest.mark.parametrize(
    ("source", "factors", "value", "active"),
    [
        ("falling", (2, 9), 2, True),
        ("falling", (9, 1), 1, True),
        ("falling", (2.5, 9), 2, False),
        ("falling", (9, 2), 2, False),
        ("falling", (9, 9), 2, False),
        ("rising", (1, 9), 2, True),
        ("rising", (9, 1.5), 3, True),
        ("rising", (9, 2), 2, False),
    ],
)
def test_a_burn_rate_is_that_of_the_shortest_pair_that_burns_in_both_windows(
    db: Connection, source: str, factors: tuple[float, float], value: float, active: bool
) -> None:
    for name, spans in BURNS.items():
        for minutes, failed, made in spans:
            at = ago(minutes=minutes)
            ingest_metrics(
                db,
                [
                    metric("errors", value=failed, source=name, ts=at),
                    metric("calls", value=made, source=name, ts=at),
                ],
            )
    condition = {
        "type": "burn_rate",
        "kind": "errors",
        "statistic": "sum",
        "divided_by": {"kind": "calls", "statistic": "sum"},
        "target": 75,
        # The longer pair first.
        "pairs": [
            {"factor": factors[1], "short": "30m", "long": "6h"},
            {"factor": factors[0], "short": "5m", "long": "1h"},
        ],
    }
    rule = define(db, {**condition, "group_by": "source"})
    define(db, condition, name="all")

    rows = db.execute(
        """
        select label, value, active, observations, parts from internal.measure_conditions(
            array(select stated from data.alert_rule_version as stated), %s, %s, '1 minute'
        )
        where rule_id = %s and at = %s
        """,
        [NOW - MINUTE, NOW, rule, NOW],
    ).fetchall()

    parts = {"falling": [2, 1, 3, 2.5], "rising": [2, 3, 1, 1.5]}
    assert sorted(row[0] for row in rows) == ["falling", "rising"]
    (found,) = (row[1:] for row in rows if row[0] == source)
    assert found == (value, active, 8, parts[source])
