"""Counters: how much they grew, resets and all."""

from __future__ import annotations

from datetime import datetime

import pytest
from psycopg import Connection

from tests.sql.calls import NOW, Item, Json, ago, ingest_metrics, metric, query_agg


def reading(value: float, minutes: float, source: str = "web") -> Item:
    return metric("visits", source, value, type="counter", ts=ago(minutes=minutes))


def growth(answer: Json) -> float:
    seconds = (NOW - datetime.fromisoformat(answer["from"])).total_seconds()
    return float(answer["rate_per_second"] * seconds)


@pytest.mark.parametrize("window", ["1h", "24h", "7d", "30d"])
def test_growth_is_from_the_first_reading_to_the_last(db: Connection, window: str) -> None:
    ingest_metrics(db, [reading(100, 50), reading(130, 30), reading(170, 10)])

    assert growth(query_agg(db, "visits", window)) == pytest.approx(70)


def test_a_fall_is_a_reset_to_zero(db: Connection) -> None:
    ingest_metrics(db, [reading(100, 50), reading(130, 40), reading(5, 30), reading(25, 10)])

    assert growth(query_agg(db, "visits", "1h")) == pytest.approx(30 + 5 + 20)


@pytest.mark.parametrize("window", ["1h", "24h", "7d"])
def test_the_growth_since_the_last_reading_before_the_window_is_counted(
    db: Connection, window: str
) -> None:
    length = {"1h": 60, "24h": 60 * 24, "7d": 60 * 24 * 7}[window]
    values = {length + 59: 100, length + 40: 130, length - 10: 170, 1: 171}
    ingest_metrics(db, [reading(value, minutes) for minutes, value in values.items()])

    assert growth(query_agg(db, "visits", window)) == pytest.approx(41)


def test_a_reading_an_hour_gives_the_rate_of_an_hour(db: Connection) -> None:
    ingest_metrics(db, [reading(3600 * (9 - hours), 60 * hours + 5) for hours in range(9)])

    answer = query_agg(db, "visits", "1h", group_by="source")
    assert answer["rate_per_second"] == pytest.approx(1, rel=0.02)
    assert answer["groups"][0]["rate_per_second"] == pytest.approx(1, rel=0.02)
    assert answer["previous"]["rate_per_second"] == pytest.approx(1, rel=0.02)


def test_of_a_gap_longer_than_the_window_as_much_is_counted_as_the_window_is_long(
    db: Connection,
) -> None:
    ingest_metrics(db, [reading(100, 105), reading(200, 5)])

    answer = query_agg(db, "visits", "1h")
    assert answer["rate_per_second"] == pytest.approx(100 / 6000)


def test_a_reading_further_before_the_window_than_it_is_long_does_not_count(
    db: Connection,
) -> None:
    ingest_metrics(db, [reading(100, 125), reading(200, 5)])

    assert query_agg(db, "visits", "1h")["rate_per_second"] == 0


def test_a_fall_since_the_reading_before_the_window_is_a_reset(db: Connection) -> None:
    ingest_metrics(db, [reading(100, 65), reading(7, 55), reading(9, 10)])

    assert growth(query_agg(db, "visits", "1h")) == pytest.approx(9)


@pytest.mark.parametrize("window", ["1h", "24h"])
def test_a_reading_equal_to_the_one_before_the_window_is_no_reset(
    db: Connection, window: str
) -> None:
    length = {"1h": 60, "24h": 60 * 24}[window]
    ingest_metrics(db, [reading(100, length + 5), reading(100, length - 5), reading(109, 10)])

    assert growth(query_agg(db, "visits", window)) == pytest.approx(9)


def test_growth_between_hours_and_days_is_counted(db: Connection) -> None:
    ingest_metrics(
        db, [reading(value, 60 * hours) for value, hours in [(10, 50), (20, 26), (50, 1)]]
    )

    assert growth(query_agg(db, "visits", "7d")) == pytest.approx(40)


def test_a_reset_between_hours_is_counted(db: Connection) -> None:
    ingest_metrics(db, [reading(100, 200), reading(7, 100), reading(9, 30)])

    assert growth(query_agg(db, "visits", "24h")) == pytest.approx(9)


def test_an_equal_reading_in_the_next_hour_is_no_reset(db: Connection) -> None:
    ingest_metrics(db, [reading(100, 200), reading(100, 100), reading(109, 30)])

    for window in ("24h", "7d"):
        assert growth(query_agg(db, "visits", window)) == pytest.approx(9)


def test_readings_may_come_in_any_order(db: Connection) -> None:
    for item in (reading(170, 10), reading(100, 50), reading(130, 30)):
        ingest_metrics(db, item)

    assert growth(query_agg(db, "visits", "1h")) == pytest.approx(70)


def test_series_grow_apart_from_each_other(db: Connection) -> None:
    ingest_metrics(
        db, [reading(100, 50), reading(110, 10), reading(5, 40, "db"), reading(8, 20, "db")]
    )

    answer = query_agg(db, "visits", "24h", group_by="source")
    assert growth(answer) == pytest.approx(13)
    assert {group["group"]: group["rate_per_second"] for group in answer["groups"]} == {
        "web": pytest.approx(10 / 86_400, rel=1e-3),
        "db": pytest.approx(3 / 86_400, rel=1e-3),
    }


def test_one_reading_has_not_grown(db: Connection) -> None:
    ingest_metrics(db, reading(100, 5))

    assert query_agg(db, "visits")["rate_per_second"] == 0


def test_where_an_hour_has_no_reading_the_growth_since_an_earlier_one_is_counted(
    db: Connection,
) -> None:
    day = 60 * 24
    often = [reading(5, day + 30, "db"), reading(9, day - 30, "db")]
    ingest_metrics(db, [*often, reading(100, day + 150), reading(130, day - 30), reading(131, 1)])

    assert growth(query_agg(db, "visits", "24h")) == pytest.approx(4 + 31)
