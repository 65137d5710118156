"""Counters in charts: growth lies where it happened, as far as the readings say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from tests.sql.calls import NOW, Item, Json, ask, ingest_metrics, metric

CALL = "select api.query_metrics('visits', null, null, %s, %s, %s, null, %s)"
NOON = datetime(2025, 6, 15, 12, tzinfo=UTC)
STEPS = {"1m": 60, "7m": 420, "1h": 3600, "5h": 18_000, "1d": 86_400}

Readings = dict[datetime, float]


def rates(db: Connection, start: datetime, end: datetime, step: str) -> list[float | None]:
    return [point[6] for point in points(db, start, end, step)]


def points(db: Connection, start: datetime, end: datetime, step: str) -> list[list[float | None]]:
    answer: Json = ask(db, CALL, start, end, step, NOW)
    (series,) = answer["series"]
    return list(series["points"])


def at(minutes: float, value: float) -> Item:
    ts = NOON - timedelta(hours=1) + timedelta(minutes=minutes)
    return metric("visits", value=value, type="counter", ts=ts.isoformat())


def test_the_first_point_has_the_growth_since_the_reading_before_it(db: Connection) -> None:
    ingest_metrics(db, [at(-1, 10), at(1, 130), at(2, 190)])

    start = NOON - timedelta(hours=1)
    assert rates(db, start, start + timedelta(minutes=3), "1m") == [1, 1, None]


def test_growth_is_spread_over_the_gap_between_two_readings(db: Connection) -> None:
    ingest_metrics(db, [at(0, 0), at(5, 300), at(10, 900)])

    start = NOON - timedelta(hours=1)
    read = points(db, start, start + timedelta(minutes=12), "1m")
    assert [point[6] for point in read] == [1] * 5 + [2] * 5 + [None] * 2
    assert [point[1] for point in read] == [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0]
    assert read[1][2:6] == [None] * 4
    assert read[5][2:6] == [300] * 4


def test_the_growth_of_a_counter_is_its_own(db: Connection) -> None:
    others = [
        metric(kind, value=n, type=kind, ts=(NOON - timedelta(minutes=60 - n)).isoformat())
        for kind in ("counter", "gauge")
        for n in range(10)
    ]
    ingest_metrics(db, [at(0, 0), at(5, 300), *others])

    start = NOON - timedelta(hours=1)
    assert rates(db, start, start + timedelta(minutes=5), "1m") == [1] * 5


def test_a_range_between_two_readings_has_their_rate(db: Connection) -> None:
    ingest_metrics(db, [at(0, 0), at(10, 600)])

    start = NOON - timedelta(minutes=58)
    assert rates(db, start, start + timedelta(minutes=3), "1m") == [1, 1, 1]


def test_the_rate_of_a_step_that_is_not_over_is_that_of_its_part(db: Connection) -> None:
    ingest_metrics(db, [at(n, 60 * n) for n in range(16)])

    start = NOON - timedelta(hours=1)
    assert rates(db, start, start + timedelta(minutes=15), "10m") == [1, 1]


def test_one_reading_has_no_rate(db: Connection) -> None:
    ingest_metrics(db, at(0, 10))

    start = NOON - timedelta(hours=1)
    assert rates(db, start, start + timedelta(minutes=1), "1m") == [None]


def test_a_reading_of_more_than_a_week_before_says_nothing(db: Connection) -> None:
    ingest_metrics(db, [at(-7 * 1440 - 2, 0), at(0, 600), at(1, 660)])

    start = NOON - timedelta(hours=1, minutes=1)
    assert rates(db, start, start + timedelta(minutes=3), "1m") == [None, 1, None]


@pytest.mark.timeout(240)
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    readings=st.dictionaries(
        st.integers(0, 4000), st.integers(0, 1000).map(float), min_size=2, max_size=25
    ),
    step=st.sampled_from(sorted(STEPS)),
    start=st.integers(-100, 4000),
    length=st.integers(1, 4100),
)
def test_growth_lies_where_it_happened_and_adds_up(
    db: Connection, readings: dict[int, float], step: str, start: int, length: int
) -> None:
    seconds = STEPS[step]
    origin = NOON - timedelta(days=4)
    known = {origin + timedelta(minutes=n): value for n, value in sorted(readings.items())}
    begin = origin + timedelta(minutes=start)
    end = begin + timedelta(minutes=min(length, 400 * seconds / 60))
    with db.transaction(force_rollback=True):
        ingest_metrics(
            db,
            [
                metric("visits", value=value, type="counter", ts=ts.isoformat())
                for ts, value in known.items()
            ],
        )
        answer: Json = ask(db, CALL, begin, end, step, NOW)
        whole: Json = ask(db, CALL, min(known), max(known) + timedelta(days=1), "1d", NOW)
    for series in answer["series"]:
        for ts, *_, rate in series["points"]:
            first = datetime.fromisoformat(ts)
            last = min(first + timedelta(seconds=seconds), end)
            wanted = grown(known, first, last)
            assert (rate is None) == (wanted is None)
            length_s = (last - first).total_seconds()
            assert rate is None or rate * length_s == pytest.approx(wanted, abs=1e-6)
    grew = sum(rise(before, after) for before, after in pairwise(known.values()))
    until = datetime.fromisoformat(whole["to"])
    daily = [
        rate * min(timedelta(days=1), until - datetime.fromisoformat(ts)).total_seconds()
        for ts, *_, rate in whole["series"][0]["points"]
        if rate is not None
    ]
    assert sum(daily) == pytest.approx(grew, abs=1e-6)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    # Minutes around both ends of the week, and the week itself.
    readings=st.lists(
        st.one_of(st.integers(-3, 3), st.integers(-10_083, -10_077), st.integers(10_077, 10_083)),
        max_size=8,
        unique=True,
    ),
    others=st.lists(st.integers(-3, 3), max_size=4, unique=True),
)
def test_the_readings_before_and_after_an_instant_are_the_nearest_within_a_week(
    db: Connection, readings: list[int], others: list[int]
) -> None:
    with db.transaction(force_rollback=True):
        start = NOON - timedelta(days=20)
        known = [(start + timedelta(minutes=minutes), minutes) for minutes in readings]
        sent = [("web", ts, n) for ts, n in known]
        sent += [("other", start + timedelta(minutes=n), n) for n in others]
        items = [
            metric("visits", source, 20_000 + n, type="counter", ts=ts.isoformat())
            for source, ts, n in [*sent, ("web", start - timedelta(days=30), 0)]
        ]
        ingest_metrics(db, items)
        series = ask(
            db,
            "select series_id from data.series join data.source using (source_id)"
            " where source.name = 'web'",
        )
        found = [
            db.execute(
                f"select ts, value - 20000 from {beside}(%s, %s, null)".encode(),
                [series, start],
            ).fetchall()
            for beside in ("internal.counter_before", "internal.counter_after")
        ]
    week = timedelta(days=7)
    before = [each for each in known if start - week <= each[0] < start]
    after = [each for each in known if start <= each[0] < start + week]
    assert found == [sorted(before)[-1:], sorted(after)[:1]]


COUNTER = "counter"
HOURS = """
insert into {} (kind_id, series_id, bucket, value_first, value_first_at, value_last, value_last_at)
select
    series.kind_id, series.series_id, %s + n * interval '1 hour',
    n, %s + n * interval '1 hour' + interval '10 minutes',
    n + 0.5, %s + n * interval '1 hour' + interval '20 minutes'
from data.series inner join data.source using (source_id)
cross join unnest(%s::integer[]) as n
where source.name = %s
"""


@pytest.mark.parametrize(
    ("samples", "end", "before", "after"),
    [
        ([], None, None, None),
        ([], -168, None, None),
        ([], -167, -167.5, None),
        ([], -1, -1.5, None),
        ([], 0, -0.5, None),
        ([], 1, 0.5, 0),
        ([], 200, 170.5, 0),
        # A sample has 20,000 more than its minutes: what is nearer counts.
        ([-41], 0, -0.5, None),
        ([-39], 0, 19_961, None),
        ([-39], -1, 19_961, None),
        ([9], 1, 0.5, 20_009),
        ([11], 1, 0.5, 0),
        ([11], 0, -0.5, 20_011),
        # A week is 10,080 minutes.
        ([-10_081, 10_080], None, None, None),
        ([-10_080, 10_079], None, 9_920, 30_079),
        ([-5, -3, -4], None, 19_997, None),
        ([0, 5, 3], None, None, 20_000),
        ([5, 3, 4], None, None, 20_003),
    ],
)
def test_the_readings_before_and_after_an_instant_are_of_samples_and_of_hours_up_to_their_end(
    db: Connection,
    samples: list[int],
    end: int | None,
    before: float | None,
    after: float | None,
) -> None:
    start = NOON - timedelta(days=20)
    ends = None if end is None else start + timedelta(hours=end)
    items = [
        metric(
            "visits",
            source,
            20_000 + n,
            ts=(start + timedelta(minutes=n)).isoformat(),
            type=COUNTER,
        )
        for source, numbers in (("web", samples), ("other", [-2, -1, 0, 1, 2]))
        for n in numbers
    ]
    ingest_metrics(
        db,
        [
            *items,
            metric("visits", value=0, type=COUNTER, ts=(start - timedelta(days=30)).isoformat()),
        ],
    )
    hypertable = ask(db, "select internal.hypertable('sample_1h')")
    hours = {"web": [-1, -169, 0, -168, -2, 170, 1], "other": list(range(-171, 172))}
    for source, numbers in hours.items():
        db.execute(HOURS.format(hypertable).encode(), [start, start, start, numbers, source])
    series = ask(
        db,
        "select series_id from data.series join data.source using (source_id)"
        " where source.name = 'web'",
    )

    found = [
        db.execute(
            f"select value from {beside}(%s, %s, %s)".encode(), [series, start, ends]
        ).fetchall()
        for beside in ("internal.counter_before", "internal.counter_after")
    ]
    assert found == [[] if value is None else [(value,)] for value in (before, after)]


def rise(before: float, after: float) -> float:
    return after - before if after >= before else after


def grown(known: Readings, first: datetime, last: datetime) -> float | None:
    """Growth in [first, last), at one rate between two readings; None outside of them."""
    parts = []
    for (since, before), (until, after) in pairwise(known.items()):
        covered = min(until, last) - max(since, first)
        if covered > timedelta():
            parts.append(rise(before, after) * (covered / (until - since)))
    return sum(parts) if parts else None
