"""Sketches: numbers that count observations by bin, and that sum() merges."""

from __future__ import annotations

import math
from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from tests.sql.calls import NOW, ask, ingest_metrics, metric, query_agg

GAMMA = math.log(1.01 / 0.99)
BINS = """
select coalesce(json_agg(json_build_array(bin.value::text, bin.n) order by bin.value), '[]')
from (
    select sum(internal.sketch(value)) as sketch, sum(internal.sketch_other(value)) as other
    from unnest(%s::double precision[]) as value
) as merged
cross join lateral internal.sketch_bins(merged.sketch, merged.other) as bin
"""

sizes = st.one_of(
    st.floats(1e-3, 1e6),
    st.floats(1e-140, 1e140),
    st.sampled_from([1.0, 2e-15, 1e52, 1e-20, 1e60, 5e-324, 1e308]),
)
values = st.one_of(
    sizes, sizes.map(lambda size: -size), st.sampled_from([0.0, math.inf, -math.inf])
)


def representative(value: float) -> float:
    """The value of the bin that holds this one; the outermost bins hold what is beyond."""
    if value == 0 or math.isinf(value):
        return value
    place = max(-1700, min(6000, math.ceil(math.log(abs(value)) / GAMMA)))
    return math.copysign(0.99 * math.exp(place * GAMMA), value)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(sample=st.lists(values, max_size=60))
def test_a_sum_of_sketches_counts_every_value_in_its_bin(
    db: Connection, sample: list[float]
) -> None:
    found = [(float(value), n) for value, n in ask(db, BINS, sample)]

    expected = Counter(representative(value) for value in sample)
    assert [n for _, n in found] == [n for _, n in sorted(expected.items())]
    for (value, _), wanted in zip(found, sorted(expected), strict=True):
        assert math.isclose(value, wanted, rel_tol=1e-9) or value == wanted


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(sample=st.lists(values.filter(math.isfinite), max_size=60))
def test_values_that_share_a_bin_have_equal_sketches(db: Connection, sample: list[float]) -> None:
    counted = """
        select count(distinct (internal.sketch(value), internal.sketch_other(value)))
        from unnest(%s::double precision[]) as value
        group by internal.shared_bin(value)
    """
    assert {n for (n,) in db.execute(counted, [sample])} <= {1}


def test_a_bin_counts_up_to_a_trillion(db: Connection) -> None:
    counted = (
        "select array_agg(n order by place)"
        " from internal.sketch_places(%s * internal.sketch(5) + internal.sketch(7))"
    )

    assert ask(db, counted, 999_999_999_999) == [999_999_999_999, 1]


def test_percentiles_are_null_where_a_bin_has_no_room_for_its_observations(db: Connection) -> None:
    histogram = {
        "bounds": [4.9, 5.1],
        "counts": [0, 2147483647, 0],
        "sum": 1.07e10,
        "count": 2147483647,
    }
    ingest_metrics(db, metric("busy", value=histogram))
    more = (
        "insert into data.sample (series_id, kind_id, ts, seq, value, observations, counter, low,"
        " high, sketch)"
        " select series_id, kind_id, ts - n * interval '1 s', 0, value, observations, counter, low,"
        " high, sketch from data.sample cross join generate_series(1, %s) as n"
    )
    db.execute(more, [400])
    within = query_agg(db, "busy", "24h")
    assert within["p50"] is not None

    db.execute("delete from data.sample where ts < (select max(ts) from data.sample)")
    db.execute(more, [500])
    beyond = query_agg(db, "busy", "24h")
    assert beyond["count"] == 501 * 2147483647
    assert [beyond[name] for name in ("p50", "p90", "p95", "p99")] == [None] * 4


def test_beyond_the_outermost_bins_no_error_bound_is_stated(db: Connection) -> None:
    times = [f"{NOW.isoformat()[:10]}T00:{minute:02d}:00Z" for minute in range(5)]
    for name, size in (("tiny", 1e-20), ("huge", 1e60), ("plain", 1.0)):
        items = [metric(name, value=size * (n + 1), ts=ts) for n, ts in enumerate(times)]
        ingest_metrics(db, items)

    assert query_agg(db, "plain", "24h")["error_bound"] == 0.01
    for name in ("tiny", "huge"):
        answer = query_agg(db, name, "24h")
        assert answer["error_bound"] is None
        assert answer["min"] <= answer["p50"] <= answer["max"]
