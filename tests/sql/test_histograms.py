"""Histograms: one sample of many observations."""

from __future__ import annotations

import pytest
from psycopg import Connection

from tests.sql.calls import NOW, ago, ask, faults, histogram, ingest_metrics, metric, query_agg


def test_observations_count_one_by_one(db: Connection) -> None:
    ingest_metrics(
        db,
        [
            histogram([1, 2, 5], [1, 2, 3, 4], 60),
            histogram([1, 2, 5], [0, 0, 0, 10], 90, ts=ago(minutes=1)),
        ],
    )

    answer = query_agg(db, "latency")
    assert (answer["type"], answer["count"], answer["sum"], answer["avg"]) == (
        "histogram",
        20,
        150,
        7.5,
    )
    assert (answer["min"], answer["max"], answer["stddev"], answer["error_bound"]) == (
        0,
        5,
        None,
        None,
    )


def test_percentiles_lie_in_the_bucket_that_holds_them(db: Connection) -> None:
    ingest_metrics(db, histogram([10, 20, 40], [60, 32, 6, 2], 1500))

    answer = query_agg(db, "latency")
    assert 0 < answer["p50"] <= 10
    assert 10 < answer["p90"] <= 20
    assert 20 < answer["p95"] <= 40
    assert 20 < answer["p99"] <= 40


def test_negative_bounds_have_an_open_bucket_that_starts_below(db: Connection) -> None:
    ingest_metrics(db, histogram([-5, 5], [1, 0, 0], -7))

    answer = query_agg(db, "latency")
    assert (answer["min"], answer["max"], answer["p50"]) == (-5, -5, -5)


def test_an_empty_histogram_has_no_extremes(db: Connection) -> None:
    ingest_metrics(db, [histogram([1], [0, 0], 0), histogram([1], [3, 0], 2, ts=ago(hours=2))])

    answer = query_agg(db, "latency")
    assert (answer["count"], answer["min"], answer["max"]) == (3, 0, 1)
    only = query_agg(db, "latency", "1h")
    assert (only["count"], only["min"], only["max"], only["p50"]) == (0, None, None, None)


def test_the_largest_counts_stay_in_their_bins(db: Connection) -> None:
    items = [
        histogram([1, 100], [2147483647, 0, 0], 1, ts=ago(minutes=50, seconds=n))
        for n in range(100)
    ]
    ingest_metrics(db, items)

    answer = query_agg(db, "latency")
    assert answer["count"] == 214748364700
    assert 0.49 < answer["p99"] < 0.51


def test_the_same_histogram_is_a_duplicate_and_another_a_conflict(db: Connection) -> None:
    ingest_metrics(db, histogram([1, 2], [1, 2, 3], 9))

    again = ingest_metrics(db, histogram([1, 2], [1, 2, 3], 9))
    other = ingest_metrics(db, histogram([1, 2], [3, 2, 1], 9))
    assert (again["duplicate"], other["conflict"]) == (1, 1)


@pytest.mark.parametrize(
    "change",
    [
        {"bounds": None},
        {"bounds": []},
        {"bounds": [1]},
        {"bounds": [2, 1]},
        {"bounds": [1, 1]},
        {"bounds": [1, "2"]},
        {"bounds": [1, 1e141]},
        {"counts": [1, 2]},
        {"counts": [1, 2, -3], "count": 0},
        {"counts": [1, 2, 3.5], "count": 6.5},
        {"counts": [1, 2, 2147483648], "count": 2147483651},
        {"counts": [2147483647, 1, 0], "count": 2147483648},
        {"count": 7},
        {"count": "6"},
        {"sum": "9"},
        {"sum": 1e141},
        {"counts": [0, 0, 0], "count": 0},
        {"exemplars": []},
    ],
)
def test_what_is_no_histogram_is_refused(db: Connection, change: dict[str, object]) -> None:
    value = {"bounds": [1, 2], "counts": [1, 2, 3], "sum": 9, "count": 6, **change}

    assert faults(db, metric("latency", value=value)) == [(0, "value", "histogram_well_formed")]


def test_a_histogram_may_have_500_bounds(db: Connection) -> None:
    bounds = [float(n) for n in range(1, 501)]
    ingest_metrics(db, histogram(bounds, [1] * 501, 125000))

    answer = query_agg(db, "latency")
    assert answer["count"] == 501
    assert answer["p50"] == pytest.approx(250, rel=0.02)
    assert ask(db, "select ts from data.sample") == NOW
