"""A threshold is suggested that gives the wanted number of alerts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from psycopg import Connection

from tests.sql.alerts import above
from tests.sql.backtests import backtest, fill_busy, suggest
from tests.sql.calls import NOW, ago, ingest_metrics, metric, refused

HOUR = timedelta(hours=1)


@pytest.fixture
def busy(db: Connection) -> Connection:
    """Minutes 40 to 31 ago and 10 to 1 ago have high values."""
    fill_busy(db)
    return db


def test_a_threshold_gives_the_wanted_number_of_alerts(db: Connection) -> None:
    """Peaks of 2, 4, 6, 8 and 10, in two hours of a month of 720."""
    ingest_metrics(db, [metric(value=peak, ts=ago(minutes=10 * peak)) for peak in (2, 4, 6, 8, 10)])
    ingest_metrics(db, [metric(value=0, ts=ago(minutes=n)) for n in range(1, 120, 2)])

    answer = suggest(db, above(0, statistic="max", window="1m"), 2 * 360, since=NOW - 2 * HOUR)

    assert answer["threshold"] == 6
    assert answer["alerts"] == 2
    rule = {"condition": above(answer["threshold"], statistic="max", window="1m")}
    assert backtest(db, rule, since=NOW - 2 * HOUR)["alerts"] == 2


@pytest.mark.parametrize("operator", [">", ">=", "<", "<="])
def test_a_suggested_threshold_gives_what_it_says(db: Connection, operator: str) -> None:
    values = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8, 4]
    ingest_metrics(db, [metric(value=v, ts=ago(minutes=n)) for n, v in enumerate(values, 1)])
    condition = above(0, statistic="max", window="1m", operator=operator)

    for per_month in (0, 720, 2160, 3600):
        found = suggest(db, condition, per_month)
        rule = {"condition": {**condition, "threshold": found["threshold"]}}
        assert backtest(db, rule)["alerts"] == found["alerts"] <= per_month / 720


def test_a_threshold_can_be_a_lower_bound(db: Connection) -> None:
    ingest_metrics(db, [metric(value=9, ts=ago(minutes=n)) for n in range(1, 60)])
    ingest_metrics(db, [metric(value=-n, ts=ago(minutes=10 * n, seconds=1)) for n in (1, 2, 3)])

    answer = suggest(db, above(0, statistic="min", window="1m", operator="<"), 720)

    assert answer["threshold"] == -2
    assert answer["alerts"] == 1


@pytest.mark.parametrize(
    ("operator", "top", "threshold"),
    [(">", 9, 9), (">=", 9, 9 + 9e-9), ("<=", -0.5, -0.5 - 1e-9), (">=", 0.5, 0.5 + 1e-9)],
)
def test_a_threshold_that_gives_no_alert_is_just_beyond_all_values(
    db: Connection, operator: str, top: float, threshold: float
) -> None:
    values = (top, top / 2, 0)
    ingest_metrics(db, [metric(value=v, ts=ago(minutes=n)) for n, v in enumerate(values, 1)])

    answer = suggest(db, above(0, statistic="max", window="1m", operator=operator), 0)

    assert answer["threshold"] == pytest.approx(threshold, rel=1e-15)
    assert (answer["alerts"], answer["holds_percent"]) == (0, 0)


def test_a_higher_threshold_can_give_more_alerts(db: Connection) -> None:
    """Above 5 there is one long alert, above 7 two of its peaks, above 8 one."""
    values = [0, 6, 9, 6, 8, 6, 0, *[0] * 20]
    ingest_metrics(db, [metric(value=v, ts=ago(minutes=n)) for n, v in enumerate(values, 1)])

    answer = suggest(db, above(0, statistic="max", window="1m"), 1000)

    assert (answer["threshold"], answer["alerts"]) == (8, 1)


@pytest.mark.parametrize(("pause", "covered"), [(24 * 60, 100), (24 * 60 + 1, 0.07)])
def test_a_pause_of_a_day_is_the_longest_that_is_time_with_data(
    db: Connection, pause: int, covered: float
) -> None:
    ingest_metrics(db, [metric(value=n, ts=ago(minutes=n * pause)) for n in range(3)])
    since = NOW - timedelta(minutes=2 * pause)

    answer = suggest(db, above(0, statistic="max", window="1m"), 1, since=since)

    assert answer["coverage_percent"] == pytest.approx(covered, rel=0.01)


def test_a_threshold_is_suggested_by_the_last_thirty_days_by_default(db: Connection) -> None:
    ingest_metrics(db, [metric()])

    answer = suggest(db, above(0), 1, since=None, until=None, step=None)

    assert answer["from"] == "2025-05-16T12:34:56.789+00:00"
    assert answer["to"] == "2025-06-15T12:34:56.789+00:00"


@pytest.mark.parametrize(("operator", "threshold"), [(">", 5), (">=", 6), ("<", 6), ("<=", 5)])
def test_a_suggested_condition_holds_at_most_half_of_the_time(
    db: Connection, operator: str, threshold: int
) -> None:
    ingest_metrics(db, [metric(value=n, ts=ago(minutes=n)) for n in range(1, 11)])
    condition = above(0, statistic="max", window="1m", operator=operator)

    answer = suggest(db, condition, 100_000)

    assert answer["threshold"] == threshold
    assert answer["holds_percent"] == 50


def test_a_suggestion_says_how_much_of_the_time_its_condition_holds(db: Connection) -> None:
    ingest_metrics(db, [metric(value=9 if n < 10 else 1, ts=ago(minutes=n)) for n in range(1, 61)])

    answer = suggest(db, above(0, statistic="max", window="1m"), 720)

    assert (answer["threshold"], answer["alerts"]) == (1, 1)
    assert (answer["per_month"], answer["coverage_percent"]) == (720, 100)
    assert answer["holds_percent"] == pytest.approx(100 * 9 / 60)


def test_a_minute_without_data_ends_an_alert(db: Connection) -> None:
    ingest_metrics(
        db,
        [metric(value=9 if n < 6 else 1, ts=ago(minutes=n)) for n in range(1, 61) if n != 3],
    )
    condition = above(1, statistic="max", window="1m")

    answer = suggest(db, condition, 2 * 720)

    assert (answer["threshold"], answer["alerts"]) == (1, 2)
    assert backtest(db, {"condition": condition})["alerts"] == 2
    assert suggest(db, condition, 720)["threshold"] == 9


def test_alerts_a_month_count_the_time_with_data_only(db: Connection) -> None:
    """Two peaks in an hour, three days after another hour; before and between nothing is known."""
    for start in (0, 3 * 24 * 60):
        ingest_metrics(
            db,
            [
                metric(value=9 if n in (10, 20) else 1, ts=ago(minutes=start + n))
                for n in range(1, 61)
            ],
        )

    answer = suggest(
        db, above(0, statistic="max", window="1m"), 1500, since=NOW - timedelta(days=10)
    )

    assert answer["coverage_percent"] == pytest.approx(100 * 2 / 240, rel=0.05)
    assert (answer["threshold"], answer["alerts"]) == (1, 4)
    assert answer["per_month"] == pytest.approx(1440, rel=0.05)


def test_rare_data_is_no_time_without_data(db: Connection) -> None:
    ingest_metrics(db, [metric(value=9, ts=ago(hours=6 * n)) for n in range(40)])

    answer = suggest(
        db, above(0, statistic="max", window="1m"), 720, since=NOW - timedelta(days=10)
    )

    assert answer["coverage_percent"] == 100


def test_without_history_there_is_no_threshold(db: Connection) -> None:
    ingest_metrics(db, [metric(value=9, ts=ago(days=2))])

    answer = suggest(db, above(0), 1)

    assert (answer["threshold"], answer["alerts"]) == (None, 0)
    assert (answer["coverage_percent"], answer["holds_percent"]) == (0, None)


@pytest.mark.parametrize(
    ("slug", "condition", "per_month"),
    [
        ("per_month_in_range", above(1), -1),
        ("per_month_in_range", above(1), 100_001),
        ("per_month_in_range", above(1), None),
        ("document_refused", [], 1),
        ("document_refused", 5, 1),
        ("threshold_suggested", above(1, operator="=="), 1),
        ("threshold_suggested", {"type": "keepalive"}, 1),
        ("threshold_suggested", {"kind": "cpu", "statistic": "absent", "window": "1h"}, 1),
        ("document_refused", above(1, kind="none"), 1),
    ],
)
def test_a_bad_suggestion_is_refused(
    busy: Connection, slug: str, condition: object, per_month: int | None
) -> None:
    with refused(busy, slug):
        suggest(busy, condition, per_month)
