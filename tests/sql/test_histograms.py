"""Histograms: one sample of many observations."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import cast

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from tests.sql.calls import (
    NOW,
    ago,
    ask,
    faults,
    histogram,
    ingest_metrics,
    metric,
    query_agg,
    refused,
)


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
    assert answer["min"] == 0
    assert [answer[key] for key in ("max", "stddev", "last", "error_bound")] == [None] * 4


def test_percentiles_lie_in_the_bucket_that_holds_them(db: Connection) -> None:
    ingest_metrics(db, histogram([10, 20, 40], [60, 32, 6, 2], 1500))

    answer = query_agg(db, "latency")
    assert 0 < answer["p50"] <= 10
    assert 10 < answer["p90"] <= 20
    assert 20 < answer["p95"] <= 40
    # Two of 100 are above all bounds, and nobody knows how far.
    assert answer["p99"] is None


def test_a_value_above_all_bounds_leaves_the_maximum_open(db: Connection) -> None:
    ingest_metrics(
        db,
        [
            histogram([1, 5], [0, 0, 1], 9, ts=ago(minutes=2)),
            histogram([1, 5], [98, 1, 0], 40, ts=ago(minutes=1)),
        ],
    )

    answer = query_agg(db, "latency", group_by="source")
    for core in (answer, *answer["groups"]):
        assert (core["min"], core["max"], core["count"]) == (0, None, 100)
        assert 0 < core["p90"] <= 1
        assert core["p99"] is None
    assert query_agg(db, "latency", "1h", now=NOW - timedelta(minutes=1))["previous"]["max"] is None


@pytest.mark.parametrize(
    ("bounds", "total"), [([-5, 5], -7), ([0, 5], -7), ([2, 5], -1)], ids=["below", "zero", "sum"]
)
def test_a_first_bucket_with_values_below_zero_leaves_the_minimum_open(
    db: Connection, bounds: list[float], total: float
) -> None:
    ingest_metrics(db, histogram(bounds, [1, 0, 0], total))

    answer = query_agg(db, "latency")
    assert (answer["min"], answer["max"], answer["p50"]) == (None, bounds[0], None)


@pytest.mark.parametrize(
    ("bounds", "counts", "total", "allowed"),
    [
        ([1, 5], [0, 10, 0], 1000, "10 to 50"),
        ([1, 5], [0, 10, 0], 9, "10 to 50"),
        ([1, 5], [2, 8, 0], 43, "at most 42"),
        ([1, 5], [0, 2, 1], 6.9, "at least 7"),
        ([-5, -1], [0, 3, 0], 3, "-15 to -3"),
    ],
)
def test_a_sum_that_the_bounds_rule_out_is_refused(
    db: Connection, bounds: list[float], counts: list[int], total: float, allowed: str
) -> None:
    item = histogram(bounds, counts, total)

    assert faults(db, item) == [(0, "value", "histogram_well_formed")]
    with refused(db, "items_refused") as refusal:
        ingest_metrics(db, item)
    (named,) = refusal.params["items"]
    assert named["detail"] == (f"The counts and bounds allow a sum of {allowed}, not {total}.")


@pytest.mark.parametrize(
    ("counts", "total", "fits"),
    [
        ([0, 10, 0], 9999.985, True),
        ([0, 10, 0], 9999.975, False),
        ([0, 10, 0], 20000.015, True),
        ([0, 10, 0], 20000.025, False),
        ([0, 0, 10], 19999.985, True),
        ([0, 0, 10], 19999.975, False),
        ([10, 0, 0], 10000.005, True),
        ([10, 0, 0], 10000.015, False),
    ],
)
def test_a_sum_may_be_off_by_a_millionth_of_the_larger_bound_of_each_value(
    db: Connection, counts: list[int], total: float, fits: bool
) -> None:
    value = histogram([1000, 2000], counts, total)["value"]

    read = "select (internal.read_histogram(%s)).fault is null"
    assert ask(db, read, json.dumps(value)) is fits


@pytest.mark.parametrize(
    ("counts", "total", "low"),
    [
        ([1, 0, 0], -1e-6, 0),
        ([1, 0, 0], -2e-6, -np.inf),
        ([1, 1, 0], 1, 0),
        ([1, 1, 0], 0.5, -np.inf),
    ],
)
def test_a_first_bucket_is_open_where_its_sum_is_below_zero_by_more_than_rounding(
    db: Connection, counts: list[int], total: float, low: float
) -> None:
    value = histogram([1, 2], counts, total)["value"]

    assert ask(db, "select (internal.read_histogram(%s)).low", json.dumps(value)) == low


# Thousandths: 32-bit numbers keep no fewer than six digits of them.
OBSERVED = st.floats(-2e9, 2e9).map(lambda number: round(number, 3) + 0.0)
BOUNDS = st.lists(OBSERVED, min_size=1, max_size=5, unique=True).map(sorted)


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(bounds=BOUNDS, values=st.lists(OBSERVED, min_size=1, max_size=30))
def test_a_histogram_of_real_values_is_accepted_and_holds_their_extremes(
    db: Connection, bounds: list[float], values: list[float]
) -> None:
    edges = [-np.inf, *bounds, np.inf]
    buckets = np.searchsorted(bounds, values, side="left")
    counts = [int(n) for n in np.bincount(buckets, minlength=len(bounds) + 1)]
    # As a sender that adds 32-bit numbers.
    total = float(np.sum(np.array(values, np.float32), dtype=np.float64))

    with db.transaction(force_rollback=True):
        ingest_metrics(db, histogram(bounds, counts, total))
        answer = query_agg(db, "latency")
    low, high = edges[buckets.min()], edges[buckets.max() + 1]
    assert answer["max"] == (high if high < np.inf else None)
    if low == -np.inf and answer["min"] is not None:
        # Accepted as values from 0 on, which the sum allows.
        assert (answer["min"], bounds[0] > 0) == (0, True)
    else:
        assert answer["min"] == (low if low > -np.inf else None)


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
        {"counts": [0, 0, 0], "count": 0, "sum": 0.5},
        {"counts": [0, 0, 0], "count": 0, "sum": -0.5},
        {"exemplars": []},
    ],
)
def test_what_is_no_histogram_is_refused(db: Connection, change: dict[str, object]) -> None:
    value = {"bounds": [1, 2], "counts": [1, 2, 3], "sum": 9, "count": 6, **change}

    assert faults(db, metric("latency", value=value)) == [(0, "value", "histogram_well_formed")]


# One pass over the batch, and each value by itself.
READINGS = """
select json_agg(array[one::text, many::text])
from (
    select
        case
            when json_typeof(item.value -> 'value') = 'object'
                then internal.read_histogram(item.value::jsonb -> 'value')
        end as one,
        (internal.read_histograms(batch.items))[item.place] as many
    from (select %s::json as items) as batch
    cross join lateral json_array_elements(batch.items) with ordinality as item (value, place)
) as reading
"""
NUMBERS = st.one_of(
    st.integers(-3, 6),
    st.floats(-10, 10),
    st.sampled_from([2147483647, 2147483648, 10**12, 1.5, 1e-310, 1e139, 1e140, 1e141, -0.0, 1e22]),
    st.sampled_from(["1", "[1]", None, True, [1], [[1], [2]], {"a": 1}]),
)


@st.composite
def values_of_histograms(draw: st.DrawFn) -> object:
    """A good value, with a part of it changed in every second one."""
    bounds = sorted(draw(st.lists(st.integers(-5, 5), min_size=1, max_size=4, unique=True)))
    counts = draw(st.lists(st.integers(0, 3), min_size=len(bounds) + 1, max_size=len(bounds) + 1))
    edges = [bounds[0] - 1, *bounds]
    total: float = sum(n * edge for n, edge in zip(counts, edges, strict=True))
    total += draw(st.sampled_from([0, 0.5, -0.5, -20, 1e-7])) if sum(counts) else 0
    value: dict[str, object] = {
        "bounds": [bound / 2 for bound in bounds] if draw(st.booleans()) else bounds,
        "counts": counts,
        "sum": total,
        "count": sum(counts),
    }
    change = draw(
        st.sampled_from([None, None, None, "one", "list", "nested", "more", "less", "other"])
    )
    field = draw(st.sampled_from(list(value)))
    if change == "one":
        value[field] = draw(NUMBERS)
    elif change == "list":
        value[field] = draw(st.lists(NUMBERS, max_size=4))
    elif change == "nested" and isinstance(value[field], list):
        value[field] = [[part] for part in cast("list[object]", value[field])]
    elif change == "more":
        value["exemplars"] = draw(NUMBERS)
    elif change == "less":
        del value[field]
    return draw(NUMBERS) if change == "other" else value


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    values=st.lists(values_of_histograms(), min_size=1, max_size=5),
    indent=st.sampled_from([None, 1]),
)
def test_the_histograms_of_a_batch_are_read_as_each_by_itself(
    db: Connection, values: list[object], indent: int | None
) -> None:
    # A batch without bounds has no histogram that could be good.
    items = [{"value": value} for value in [*values, {"bounds": []}]]
    for one, many in ask(db, READINGS, json.dumps(items, indent=indent)):
        assert many == one


@pytest.mark.parametrize("field", ["bounds", "counts", "sum", "count"])
def test_a_histogram_that_repeats_a_key_is_not_read(db: Connection, field: str) -> None:
    value = {"bounds": [1, 2], "counts": [1, 2, 3], "sum": 9, "count": 6}
    text = json.dumps(value)[:-1] + f', "{field}": {json.dumps(value[field])}}}'
    read = ask(db, "select internal.read_histograms(%s::json)::text", f'[{{"value": {text}}}]')
    assert read == "{NULL}"


def test_a_histogram_may_have_500_bounds(db: Connection) -> None:
    bounds = [float(n) for n in range(1, 501)]
    ingest_metrics(db, histogram(bounds, [1] * 501, 126000))

    answer = query_agg(db, "latency")
    assert answer["count"] == 501
    assert answer["p50"] == pytest.approx(250, rel=0.02)
    assert ask(db, "select ts from data.sample") == NOW
