"""Sketches: numbers that count observations by bin, and that sum() merges."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from fractions import Fraction
from itertools import accumulate

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
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


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(number=st.integers(0, 10**48 - 1).filter(lambda number: number % 10**12 or not number))
@example(number=0)
@example(number=10**8)
@example(number=10**20 + 10**4)
def test_digits_come_in_groups_of_twelve(db: Connection, number: int) -> None:
    groups = -(-len(str(number)) // 12)
    digits = str(number).zfill(12 * groups)
    expected = b"".join(int(digits[at : at + 4]).to_bytes(2) for at in range(0, len(digits), 4))
    assert ask(db, "select internal.digit_groups(%s::numeric)", number) == expected


counts = st.one_of(
    st.integers(1, 10**12 - 1), st.sampled_from([1, 9999, 10**4, 10**8, 10**8 + 1, 10**12 - 1])
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(sketch=st.dictionaries(st.integers(-1365, 6350) | st.integers(-3, 3), counts, max_size=6))
@example(sketch={0: 1})
@example(sketch={-2: 1, 0: 10**4, 2: 10**8})
def test_every_place_of_a_sketch_is_read(db: Connection, sketch: dict[int, int]) -> None:
    found = ask(
        db,
        "select coalesce(json_object_agg(place, n), '{}') from internal.sketch_places("
        "(select sum(part::numeric) from unnest(%s::text[]) as part))",
        [f"{n}e{12 * place}" for place, n in sketch.items()],
    )
    assert {int(place): n for place, n in found.items()} == sketch


AT_RANKS = """
select internal.sketch_values(
    %s,
    (select sum(part::numeric) from unnest(%s::text[]) as part),
    (select sum(part::numeric) from unnest(%s::text[]) as part),
    %s
)
"""
ZERO, NEGATIVE = 351, 360
HALF = Fraction(1, 2)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    positive=st.dictionaries(st.integers(-1350, 6350) | st.integers(345, 355), counts, max_size=6),
    other=st.dictionaries(st.sampled_from([ZERO, ZERO, NEGATIVE]), counts, max_size=2),
    shares=st.lists(st.fractions(0, 1), min_size=1, max_size=4),
)
@example(positive={}, other={}, shares=[HALF])
@example(positive={350: 10**4}, other={}, shares=[Fraction(0), Fraction(1)])
@example(positive={-1: 1, 350: 1}, other={ZERO: 2}, shares=[Fraction(0), HALF, Fraction(1)])
@example(positive={350: 10**12 - 1}, other={}, shares=[HALF])
@example(positive={350: 10**12 - 1, 351: 2}, other={}, shares=[HALF, Fraction(1)])
@example(positive={350: 1}, other={ZERO: 10**12 - 1}, shares=[HALF, Fraction(1)])
def test_a_rank_is_in_the_bin_that_counts_it(
    db: Connection, positive: dict[int, int], other: dict[int, int], shares: list[Fraction]
) -> None:
    sizes = {place: 0.99 * math.exp((place - 350) * GAMMA) for place in (*positive, NEGATIVE - 3)}
    bins = {sizes[place]: n for place, n in positive.items()}
    bins |= {0 if place == ZERO else -sizes[NEGATIVE - 3]: n for place, n in other.items()}
    sent = [[f"{n}e{12 * place}" for place, n in part.items()] for part in (positive, other)]
    n = sum(bins.values())
    ranks = [math.floor(share * (n - 1)) for share in shares] if n else [0]

    assert ask(db, AT_RANKS, n + 1, *sent, ranks) is None
    assert ask(db, AT_RANKS, None, *sent, ranks) is None
    if n == 0:
        # As an empty histogram has them.
        assert ask(db, AT_RANKS, 0, ["0"], [], ranks) is None
        return
    values = sorted(bins)
    upto = list(accumulate(bins[value] for value in values))
    assert ask(db, AT_RANKS, n, *sent, ranks) == [
        pytest.approx(values[bisect_right(upto, rank)], rel=1e-9) for rank in ranks
    ]


QUANTILES = """
select internal.sketch_quantiles(
    count(*), sum(internal.sketch(value)), sum(internal.sketch_other(value)), %s, %s, %s
)
from unnest(%s::double precision[]) as value
"""
NAMES = ["p50", "p90", "p95", "p99"]


@pytest.mark.parametrize("count", [1, 2, 3, 10, 101])
@pytest.mark.parametrize(("low", "high"), [(0.0, 1000.0), (2.5, 40.0)])
def test_quantiles_lie_between_the_bins_of_two_ranks(
    db: Connection, count: int, low: float, high: float
) -> None:
    values = [1.7 * (7 * n % count + 1) for n in range(count)]
    found = ask(db, QUANTILES, low, high, NAMES, values)

    known = sorted(min(high, max(low, representative(value))) for value in values)
    for name, quantile in zip(NAMES, found, strict=True):
        rank = int(name[1:]) / 100 * (count - 1)
        below, above = known[math.floor(rank)], known[math.ceil(rank)]
        assert math.isclose(quantile, below + (above - below) * (rank % 1), rel_tol=1e-9)


def test_quantiles_that_are_not_named_are_null(db: Connection) -> None:
    for name in NAMES:
        found = ask(db, QUANTILES, 0, 100, [name], [5.0] * 3)
        assert [value is not None for value in found] == [each == name for each in NAMES]
    assert ask(db, "select internal.sketch_quantiles(0, null, null, 1, 2, %s)", NAMES) is None


@pytest.mark.parametrize(
    ("values", "known"),
    [
        ([-math.inf, 5.0, 5.0, 5.0], [True, True, True, True]),
        ([-math.inf, 5.0], [False, False, False, False]),
        ([5.0, math.inf], [False, False, False, False]),
        ([5.0, 5.0, 5.0, math.inf], [True, False, False, False]),
    ],
)
def test_quantiles_beside_an_open_bucket_are_null(
    db: Connection, values: list[float], known: list[bool]
) -> None:
    found = ask(db, QUANTILES, -math.inf, math.inf, NAMES, values)
    assert [value is not None for value in found] == known


def test_quantiles_are_null_where_a_bin_has_no_room_for_its_observations(db: Connection) -> None:
    found = "select internal.sketch_quantiles(%s, %s::numeric, null, 1, 1000, %s)"
    assert None not in ask(db, found, 10**12 - 1, f"{10**12 - 1}e4200", NAMES)
    assert ask(db, found, 10**12 + 1, f"{10**12 + 1}e4200", NAMES) == [None] * 4


PERCENTILE = """
select {}(
    row(count(*), sum(internal.sketch(value)), sum(internal.sketch_other(value)), %s, %s, %s)
    ::analytics.sketch,
    %s
)
from unnest(%s::double precision[]) as value
"""


@pytest.mark.parametrize("share", [0.0, 0.1, 0.25, 0.5, 0.7, 1.0])
@pytest.mark.parametrize("is_histogram", [False, True])
def test_a_percentile_lies_between_two_ranks_and_its_extremes_are_exact(
    db: Connection, share: float, is_histogram: bool
) -> None:
    for values in ([7.0], [1.7, 20.0], [11.0, 30.0, 3.3], [2.0] * 4 + [9.0] * 3):
        known = sorted(
            min(max(values), max(min(values), representative(value))) for value in values
        )
        low, high = (min(values), max(values)) if not is_histogram else (0.5, 100.0)
        if is_histogram:
            known = sorted(representative(value) for value in values)
        else:
            known[0], known[-1] = low, high
        rank = share * (len(values) - 1)
        below, above = known[math.floor(rank)], known[math.ceil(rank)]

        found = ask(
            db, PERCENTILE.format("analytics.percentile"), low, high, is_histogram, share, values
        )
        assert math.isclose(found, below + (above - below) * (rank % 1), rel_tol=1e-9)


@pytest.mark.parametrize("values", [[-math.inf, 5.0], [5.0, math.inf]])
def test_a_percentile_beside_an_open_bucket_is_null(db: Connection, values: list[float]) -> None:
    assert (
        ask(db, PERCENTILE.format("analytics.percentile"), -math.inf, math.inf, True, 0.5, values)
        is None
    )


@pytest.mark.parametrize(("share", "value"), [(1 / 3, 0.99), (2 / 3, 0.99), (1.0, None)])
def test_a_whole_rank_below_an_open_bucket_is_known(
    db: Connection, share: float, value: float | None
) -> None:
    found = ask(
        db,
        PERCENTILE.format("analytics.percentile"),
        0,
        math.inf,
        True,
        share,
        [1.0, 1.0, 1.0, math.inf],
    )
    assert found == (value and pytest.approx(value))


def test_a_percentile_of_an_unknown_share_is_null(db: Connection) -> None:
    assert ask(db, PERCENTILE.format("analytics.percentile"), 1, 2, False, None, [1, 2]) is None


@pytest.mark.parametrize("share", [-0.1, 1.1, 1e308, math.nan])
def test_a_share_beyond_one_is_refused(db: Connection, share: float) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="out of range"):
        ask(db, PERCENTILE.format("analytics.percentile"), 1, 2, False, share, [1, 2])


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


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ((4, 3, None, 1, 2, False), (1, None, 5, -3, -1, True), (5, 3, 5, -3, 2, True)),
        ((1, None, 5, -3, 0, True), (4, 3, None, -1, 2, False), (5, 3, 5, -3, 2, True)),
        ((4, 3, 7, 1, 2, False), (2, 2, 5, 0, 4, False), (6, 5, 12, 0, 4, False)),
    ],
)
def test_a_distribution_of_both_has_all_bins_and_the_outermost_values(
    db: Connection, one: tuple[object, ...], other: tuple[object, ...], both: tuple[object, ...]
) -> None:
    sketch = "row(%s, %s::numeric, %s::numeric, %s, %s, %s)::analytics.sketch"
    merged = db.execute(
        f"select (merged).* from internal.merge_sketches({sketch}, {sketch}) as merged",
        [*one, *other],
    ).fetchone()
    assert merged == both
