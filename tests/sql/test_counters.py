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
