"""Aggregates equal what numpy computes from the same samples, before and after any rollup."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from tests.sql.calls import Item, Json, ask, ingest_metrics, metric, query_agg
from tests.support.rollups import ROLLUPS, roll_up, roll_up_recent

LATE = "late"
RECENT = "recent"
HOUR = 3_600_000_000
COLUMNS = (
    "kind_id, bucket, observations, value_count, value_sum, round(squared_deviations::numeric, 6),"
    " value_min, value_max, value_last, value_last_at, last_at, sketch, sketch_other"
)
SERIES_COLUMNS = "series_id, value_first, value_first_at, increase"
WINDOWS = ("1h", "24h", "7d", "30d", "90d")

VALUES = st.one_of(
    st.floats(-1e6, 1e6, allow_subnormal=False),
    st.sampled_from([0.0, 0.0, -1.0, 1.0, 1e-12, -1e-12, 1e15, -1e15]),
)


@dataclass(frozen=True)
class Reading:
    """A sample: of which series, how many microseconds before the end, and what."""

    series: int
    age: int
    value: float


@dataclass
class Plan:
    """Batches of readings, and after each what is rolled up: late hours, or others to an age."""

    batches: list[list[Reading]]
    refreshes: list[list[tuple[tuple[str, ...], timedelta]]]


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Readings at all ages, dense at the edges of hours, days and windows."""
    # The end is 12:34:56.789: whole hours lie this long and some hours before it.
    edge = st.builds(
        lambda hours, shift: hours * HOUR + 2_096_789_000 + shift,
        st.sampled_from([0, 1, 12, 24, 36, 24 * 7, 24 * 29, 24 * 30, 24 * 60]),
        st.sampled_from([-1_000_000, -1, 0, 1, 1_000_000]),
    )
    ages = st.one_of(st.integers(0, 30 * HOUR), st.integers(0, 89 * 24 * HOUR), edge)
    readings = draw(
        st.lists(st.builds(Reading, st.integers(0, 2), ages, VALUES), min_size=1, max_size=50)
    )
    # One value for each series and microsecond: the others would be conflicts.
    unique = {(r.series, r.age): r for r in readings}
    order = draw(st.permutations(list(unique.values())))
    size = draw(st.integers(1, max(1, len(order) // 2)))
    batches = [order[at : at + size] for at in range(0, len(order), size)][:5]
    # Up to an hour ago, as the policies do, and less far.
    until = st.sampled_from([timedelta(hours=hours) for hours in (1, 2, 20, 40, 24 * 8)])
    # A rollup after what it is made of.
    names: st.SearchStrategy[tuple[str, ...]] = st.sampled_from(
        [
            ROLLUPS,
            ROLLUPS,
            (LATE,),
            ("sample_1h",),
            ("sample_1h", "kind_1h"),
            ("sample_1h", "sample_1d"),
        ]
    )
    recent = st.tuples(
        st.just((RECENT,)), st.integers(0, 50 * HOUR).map(lambda age: timedelta(microseconds=age))
    )
    refresh = st.lists(st.one_of(st.tuples(names, until), recent), min_size=1, max_size=3)
    return Plan(batches, [draw(refresh) for _ in batches])


@pytest.mark.timeout(240)
@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    # Shrinking takes minutes.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
@given(plan=plans())
def test_any_mixture_of_rollups_and_samples_is_exact(
    lasting: Connection, ages: Iterator[datetime], plan: Plan
) -> None:
    now = next(ages)
    kinds = {"gauge": f"gauge_{now:%Y%j}", "counter": f"counter_{now:%Y%j}"}
    known: list[Reading] = []
    for batch, refreshes in zip(plan.batches, plan.refreshes, strict=True):
        for kind, name in kinds.items():
            items = [as_item(name, kind, reading, now) for reading in batch]
            assert ingest_metrics(lasting, items, now=now)["accepted"] == len(batch)
        known += batch
        for rollups, until in refreshes:
            if rollups == (LATE,):
                lasting.execute("call internal.refresh_late(0, '{}')")
            elif rollups == (RECENT,):
                # Where the rollups are far behind, the job leaves it to them.
                behind = "select internal.watermark('kind_1h') < %s"
                if not ask(lasting, behind, now - timedelta(hours=60)):
                    roll_up_recent(lasting, now - until)
            else:
                roll_up(lasting, now - until, *rollups)
        for kind, name in kinds.items():
            for window in WINDOWS:
                answer = query_agg(lasting, name, window, group_by="source", now=now)
                compare(answer, known, kind, now)


def as_item(name: str, kind: str, reading: Reading, now: datetime) -> Item:
    value = abs(reading.value) if kind == "counter" else reading.value
    return metric(
        name, f"s{reading.series}", value, type=kind, ts=instant(reading, now).isoformat()
    )


def instant(reading: Reading, now: datetime) -> datetime:
    return now - timedelta(microseconds=reading.age)


def compare(answer: Json, known: list[Reading], kind: str, now: datetime) -> None:
    known = sorted(known, key=lambda r: -r.age)
    start, end = datetime.fromisoformat(answer["from"]), now + timedelta(minutes=5)
    length = now - start
    readings = [r for r in known if start <= instant(r, now) <= end]
    earlier = [r for r in known if start - reach(length) <= instant(r, now) < start]
    compare_core(answer, readings, earlier, kind, length)
    assert sorted(group["group"] for group in answer["groups"]) == sorted(
        {f"s{r.series}" for r in readings}
    )
    for group in answer["groups"]:
        members = [r for r in readings if f"s{r.series}" == group["group"]]
        compare_core(group, members, earlier, kind, length)
    before = datetime.fromisoformat(answer["previous"]["from"])
    assert start - before == length
    readings = [r for r in known if before <= instant(r, now) < start]
    earlier = [r for r in known if before - reach(length) <= instant(r, now) < before]
    compare_core(answer["previous"], readings, earlier, kind, length)


def compare_core(
    core: Json, readings: list[Reading], earlier: list[Reading], kind: str, length: timedelta
) -> None:
    assert core["count"] == len(readings)
    values = np.array([abs(r.value) if kind == "counter" else r.value for r in readings])
    values = np.where(np.abs(values) <= 1e-300, 0.0, values)
    rate = grown(readings, earlier, length) if kind == "counter" else len(readings)
    rate /= length.total_seconds()
    assert core["rate_per_second"] == pytest.approx(rate, rel=1e-9, abs=1e-9)
    if not readings:
        assert core["sum"] is None
        return
    scale = float(np.abs(values).sum())
    close: Any = lambda wanted: pytest.approx(wanted, rel=0, abs=1e-9 * scale + 1e-300)  # noqa: E731
    assert core["sum"] == close(values.sum())
    assert core["avg"] == close(values.mean())
    # Squares of deviations below 1e-150 leave a double's range and are zero.
    deviation = float(values.std())
    assert core["stddev"] == pytest.approx(deviation, rel=0, abs=1e-9 * scale + 1e-150)
    assert (core["min"], core["max"]) == (values.min(), values.max())
    newest = [value for r, value in zip(readings, values, strict=True) if r.age == readings[-1].age]
    assert core["last"] == max(newest)
    for name, share in (("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99)):
        assert abs(core[name] - np.quantile(values, share)) <= bound(values, share)


def reach(length: timedelta) -> timedelta:
    """How far before a window the reading may be that the first one has grown from."""
    return min(max(length, timedelta(minutes=5)), timedelta(days=7))


def grown(readings: list[Reading], earlier: list[Reading], length: timedelta) -> float:
    """Growth of all series, that since the last reading before the window included."""
    total = 0.0
    for series in {r.series for r in readings}:
        inside = [r for r in readings if r.series == series]
        total += sum(growth(*pair) for pair in pairwise(inside))
        for before in [r for r in earlier if r.series == series][-1:]:
            gap = timedelta(microseconds=before.age - inside[0].age)
            total += growth(before, inside[0]) * min(1, length / gap)
    return total


def growth(before: Reading, after: Reading) -> float:
    """A lower reading follows a reset to zero."""
    low, high = abs(before.value), abs(after.value)
    return high - low if high >= low else high


def bound(values: np.ndarray[Any, Any], share: float) -> float:
    """One hundredth of the two values that the percentile lies between, by their weights.

    Between values of one sign that is one hundredth of the percentile itself. A sketch does not
    tell values below 2e-15 apart.
    """
    ordered = np.sort(values)
    place = share * (len(values) - 1)
    low, high = ordered[int(np.floor(place))], ordered[int(np.ceil(place))]
    weight = place - np.floor(place)
    return float(0.01 * ((1 - weight) * abs(low) + weight * abs(high)) * (1 + 1e-9) + 2e-15)


@pytest.mark.parametrize(
    ("rollup", "width", "columns"),
    [
        ("sample_1h", timedelta(hours=1), f"{SERIES_COLUMNS}, {COLUMNS}"),
        ("kind_1h", timedelta(hours=1), COLUMNS),
        ("sample_1d", timedelta(days=1), f"{SERIES_COLUMNS}, {COLUMNS}"),
        ("kind_1d", timedelta(days=1), COLUMNS),
    ],
)
def test_samples_and_rollups_have_the_same_expressions(
    lasting: Connection, now: datetime, rollup: str, width: timedelta, columns: str
) -> None:
    send_all_types(lasting, now)
    roll_up(lasting, now)

    end = now.replace(hour=0, minute=0, second=0, microsecond=0)
    start = end - timedelta(days=3)
    rolled_up = lasting.execute(
        f"select {columns} from data.{rollup}"
        " where bucket >= %s and bucket < %s order by bucket, kind_id",
        [start, end],
    ).fetchall()
    kinds = [row[0] for row in lasting.execute("select kind_id from data.kind")]
    from_samples = lasting.execute(
        f"select {columns} from internal.raw_rollup(%s, %s, %s, %s, null) order by bucket, kind_id",
        [kinds, start, end, width],
    ).fetchall()
    assert len(rolled_up) == timedelta(days=3) / width * 3
    assert from_samples == rolled_up


def test_samples_of_a_kind_have_the_expressions_of_its_series(
    lasting: Connection, now: datetime
) -> None:
    send_all_types(lasting, now)

    hour = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
    kinds = [row[0] for row in lasting.execute("select kind_id from data.kind")]
    of_series = lasting.execute(
        f"select {COLUMNS} from internal.raw_rollup(%s, %s, %s, '1 hour', null) order by kind_id",
        [kinds, hour, hour + timedelta(hours=1)],
    ).fetchall()
    of_kinds = lasting.execute(
        f"select {COLUMNS} from internal.raw_kinds(%s, %s, %s, null, true) order by kind_id",
        [kinds, hour, hour + timedelta(hours=1)],
    ).fetchall()
    assert len(of_kinds) == 3
    assert of_kinds == of_series


RANGES = {
    "1d": "tstzmultirange(tstzrange(%s, %s)), '{}'",
    "1h": "'{}', tstzmultirange(tstzrange(%s, %s))",
}


@pytest.mark.parametrize("width", RANGES)
def test_merged_buckets_have_the_expressions_of_a_rollup(
    lasting: Connection, now: datetime, width: str
) -> None:
    send_all_types(lasting, now)
    roll_up(lasting, now)
    lasting.execute("delete from data.late_hour")

    end = now.replace(hour=0, minute=0, second=0, microsecond=0)
    columns = f"{SERIES_COLUMNS}, {COLUMNS}"
    rolled_up = lasting.execute(
        f"select {columns} from data.sample_1d"
        " where bucket >= %s and bucket < %s order by bucket, kind_id",
        [end - timedelta(days=3), end],
    ).fetchall()
    kinds = [row[0] for row in lasting.execute("select kind_id from data.kind")]
    merged = lasting.execute(
        f"select {columns} from internal.merge_buckets("
        f"{RANGES[width]}, '{{}}', null, null, '{{}}', %s, null, null, '24 hours', false, null)"
        " order by bucket, kind_id",
        [end - timedelta(days=3), end, kinds],
    ).fetchall()
    assert len(merged) == 9
    assert merged == rolled_up


@pytest.mark.parametrize("hours", [13, 24])
def test_what_starts_a_moment_after_an_hour_or_a_day_has_no_sample_of_its_start(
    lasting: Connection, now: datetime, hours: int
) -> None:
    edge = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(hours=hours)
    kind = f"edge_{now:%Y%j}"
    times = [edge, edge + timedelta(minutes=1), edge + timedelta(hours=2)]
    ingest_metrics(lasting, [metric(kind, ts=ts.isoformat()) for ts in times], now=now)
    roll_up(lasting, now)
    lasting.execute("delete from data.late_hour")

    ids = [
        row[0] for row in lasting.execute("select kind_id from data.kind where name = %s", [kind])
    ]
    counted = (
        "select sum(observations)::integer from"
        " internal.rollup(%s, %s, null, %s, %s, null, null, '{count}')"
    )
    none: list[int] = []
    for kinds in ((ids, none), (none, ids)):
        for after, count in ((timedelta(), 3), (timedelta(microseconds=1), 2)):
            found = lasting.execute(counted, [*kinds, edge + after, now]).fetchone()
            assert found == (count,)


def send_all_types(conn: Connection, now: datetime) -> None:
    """Send a gauge, a counter and a histogram, one series each: a kind has the same rows."""
    rng = np.random.default_rng(7)
    items: list[Item] = []
    for n in range(300):
        ts = (now - timedelta(minutes=int(n * 17))).isoformat()
        value = float(rng.integers(-50, 50))
        items += [
            metric("raw_gauge", value=value, ts=ts),
            metric("raw_counter", value=abs(value), type="counter", ts=ts),
            metric("raw_histogram", value=as_histogram(rng.integers(0, 4, 3)), ts=ts),
        ]
    ingest_metrics(conn, items, now=now)


def as_histogram(counts: np.ndarray[Any, Any]) -> Json:
    return {
        "bounds": [1, 2],
        "counts": [int(n) for n in counts],
        "sum": float(counts @ [0.5, 1.5, 3]),
        "count": int(counts.sum()),
    }
