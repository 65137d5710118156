"""The series that a back-test draws, and its points."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from psycopg import Connection

from tests.sql.alerts import above
from tests.sql.backtests import backtest, fill_busy
from tests.sql.calls import NOW, ago, ingest_metrics, metric, refused

HOUR = timedelta(hours=1)


@pytest.fixture
def busy(db: Connection) -> Connection:
    """Minutes 40 to 31 ago and 10 to 1 ago have high values."""
    fill_busy(db)
    return db


def test_the_series_can_be_drawn_with_its_threshold(busy: Connection) -> None:
    rule = {"name": "high", "condition": above(5, window="1m", statistic="max")}

    series = backtest(busy, rule, points=6)["series"]

    assert series["labels"] == {"alertname": "high", "severity": "warning"}
    assert (series["operator"], series["threshold"]) == (">", 5)
    # Ten minutes each, of which the largest value counts.
    assert [(at[11:16], value) for at, value in series["points"]] == [
        *(("11:34", 1), ("11:44", 1), ("11:54", 9), ("12:04", 1), ("12:14", 1), ("12:24", 9)),
    ]
    assert backtest(busy, rule)["series"] is None


def test_the_series_of_a_rule_that_never_fires_is_the_nearest_to_the_threshold(
    db: Connection,
) -> None:
    for source, value in (("a", 3), ("b", 1), ("c", 2)):
        ingest_metrics(
            db, [metric(source=source, value=value + n % 2, ts=ago(minutes=n)) for n in range(62)]
        )
    condition = above(9, window="1m", statistic="max", group_by="source")
    below = {**condition, "operator": "<", "threshold": -1}

    drawn = backtest(db, {"condition": condition}, points=1000)["series"]
    assert (drawn["labels"]["source"], len(drawn["points"])) == ("a", 60)
    drawn = backtest(db, {"condition": condition}, points=1000, since=NOW - 2 * HOUR)["series"]
    assert [value is None for _, value in drawn["points"]].count(True) == pytest.approx(60, abs=2)
    assert datetime.fromisoformat(drawn["points"][0][0]) == NOW - 2 * HOUR
    drawn = backtest(db, {"condition": below}, points=2)["series"]
    assert drawn["labels"]["source"] == "b"
    assert [value for _, value in drawn["points"]] == [1, 1]


def test_of_series_that_come_equally_near_the_first_is_drawn(db: Connection) -> None:
    for source, values in (("d", (5, 5)), ("c", (8, 0)), ("b", (8, 0)), ("a", (None, 7))):
        ingest_metrics(
            db,
            [
                metric(source=source, value=value, ts=ago(minutes=minutes))
                for minutes, value in zip((40, 0), values, strict=True)
                if value is not None
            ],
        )
    condition = above(9, window="1m", statistic="max", group_by="source")

    drawn = backtest(db, {"condition": condition}, points=4)["series"]

    assert drawn["labels"]["source"] == "b"
    # What is measured at the end belongs to the last point.
    assert [value for _, value in drawn["points"]] == [None, 8, None, 0]


def test_a_series_without_any_value_comes_after_those_with_one(db: Connection) -> None:
    ingest_metrics(db, [metric(source="b", value=5, ts=ago(minutes=1))])
    ingest_metrics(db, [metric(source="a", value=5, ts=ago(days=1))])
    condition = above(9, window="1m", statistic="max", group_by="source")

    drawn = backtest(db, {"condition": condition, "for": "1d", "no_data": "firing"}, points=1)

    assert drawn["series"]["labels"]["source"] == "a"


def test_a_series_has_at_most_1000_points(busy: Connection) -> None:
    assert len(backtest(busy, {"condition": above(5)}, points=1)["series"]["points"]) == 1
    for points in (0, 1001):
        with refused(busy, "points_in_range") as problem:
            backtest(busy, {"condition": above(5)}, points=points)
        assert problem.column == "points"
