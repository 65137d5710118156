"""What a condition on a metric sees: of which series and when, of samples and of rollups."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from tests.sql.alerts import above, alerts, define, evaluate, readings
from tests.sql.calls import NOW, ago, histogram, ingest_metrics, metric
from tests.support.rollups import roll_up

HOUR = timedelta(hours=1)
STATISTICS = ("count", "sum", "avg", "min", "max", "last", "p50", "p90", "p95", "p99", "rate")
# internal.bin holds all that is nearer to zero in one bin, of which any value may be the answer.
OUTERMOST_BIN = 2e-15
VALUES = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(1, 290), st.floats(-1e6, 1e6)),
    min_size=1,
    max_size=30,
    unique_by=lambda row: row[:2],
)


@pytest.mark.parametrize("kind_type", ["gauge", "counter"])
@settings(max_examples=15, deadline=None)
@example(rows=[("a", 1, 0.0), ("a", 2, 6e-201), ("a", 3, 1.4e-164)])
@given(rows=VALUES)
def test_samples_and_rollups_give_one_answer(
    lasting: Connection, kind_type: str, rows: list[tuple[str, int, float]]
) -> None:
    now = NOW.replace(second=0, microsecond=0)
    with lasting.transaction(force_rollback=True):
        ingest_metrics(
            lasting,
            [
                metric(
                    source=source,
                    value=abs(value) if kind_type == "counter" else value,
                    ts=(now - timedelta(seconds=age)).isoformat(),
                    type=kind_type,
                )
                for source, age, value in rows
            ],
            now=now,
        )
        pairs = lasting.execute(
            """
            with kinds as (select array_agg(kind_id) as ids from data.kind where name = 'cpu')
            select name, internal.pick_statistic(sampled.statistics, name),
                internal.pick_statistic(rolled.statistics, name)
            from kinds
            cross join lateral internal.sampled_statistics(
                ids, null, 'source', '5 min', %(now)s, %(now)s, '1 s', %(names)s
            ) as sampled
            full join internal.window_statistics(
                '{}', (select ids from kinds), null, 'source',
                array[%(now)s - interval '5 min', %(now)s], '{300}', null, false
            ) as rolled on (sampled.statistics).label = (rolled.statistics).label
            cross join unnest(%(names)s) as name
            where name <> 'rate_per_second'
            """,
            {"now": now, "names": [*STATISTICS, "rate_per_second"]},
        ).fetchall()

    assert pairs
    for name, ours, theirs in pairs:
        # Of rollups, percentiles are known within 1 % of the two values that they lie between.
        largest = max(abs(value) for _, _, value in rows)
        near = max(0.01 * largest, OUTERMOST_BIN) if name.startswith("p") else 1e-6
        assert ours == pytest.approx(theirs, rel=1e-9, abs=near), name


def test_the_rate_of_a_counter_includes_the_growth_since_the_reading_before(
    db: Connection,
) -> None:
    ingest_metrics(
        db,
        [
            metric(value=3600 * (9 - hour), type="counter", ts=ago(minutes=60 * hour + 5))
            for hour in range(2)
        ],
    )

    assert readings(db, above(0, statistic="rate", window="1h")) == {"": pytest.approx(1)}


def test_a_rate_over_rollups_is_that_of_the_samples(lasting: Connection, now: datetime) -> None:
    kind = f"visits_{now:%Y%j}"
    ingest_metrics(
        lasting,
        [
            metric(
                kind, value=3600 * (99 - hour), type="counter", ts=(now - hour * HOUR).isoformat()
            )
            for hour in range(30)
        ],
        now=now,
    )
    roll_up(lasting, now - HOUR)

    rates = readings(lasting, above(0, kind=kind, statistic="rate", window="12h"), now)
    # The window starts on an hour.
    assert rates == {"": pytest.approx(1, rel=1 / 12)}


def test_a_percentile_of_samples_is_exact(db: Connection) -> None:
    ingest_metrics(db, [metric(value=n, ts=ago(seconds=n)) for n in range(1, 101)])

    assert readings(db, above(0, statistic="p95")) == {"": pytest.approx(95.05)}


def test_a_statistic_of_histograms_comes_from_their_buckets(db: Connection) -> None:
    ingest_metrics(db, [histogram([1, 2, 4], [0, 90, 10, 0], 200, ts=ago(minutes=1))])

    low = readings(db, above(0, kind="latency", statistic="p50"))
    high = readings(db, above(0, kind="latency", statistic="p99"))

    assert 1 <= low[""] <= 2 <= high[""] <= 4


def test_a_ratio_divides_two_statistics(db: Connection) -> None:
    ingest_metrics(
        db,
        [metric("errors", value=value, source="a", ts=ago(seconds=value)) for value in (1, 2)]
        + [metric("calls", value=10, source=source, ts=ago(minutes=1)) for source in "ab"],
    )

    ratio = above(
        0,
        kind="errors",
        statistic="sum",
        divided_by={"kind": "calls", "statistic": "sum"},
        group_by="source",
    )

    # Where calls are seen and no errors, none failed.
    assert readings(db, ratio) == {"a": 0.3, "b": 0}


def test_a_change_compares_with_the_window_before(db: Connection) -> None:
    ingest_metrics(db, [metric(value=2, ts=ago(minutes=7)), metric(value=3, ts=ago(minutes=2))])

    assert readings(db, above(0, compare="change")) == {"": 0.5}


def test_a_condition_can_be_about_some_series(db: Connection) -> None:
    ingest_metrics(
        db,
        [
            metric(value=1, source="a", labels={"zone": "x"}, ts=ago(minutes=1)),
            metric(value=2, source="a", labels={"zone": "y"}, ts=ago(minutes=1)),
            metric(value=4, source="b", labels={"zone": "x"}, ts=ago(minutes=1)),
        ],
    )

    assert readings(db, above(0, where={"source": "a"}, statistic="sum")) == {"": 3}
    assert readings(db, above(0, where={"labels": {"zone": "x"}}, statistic="sum")) == {"": 5}
    assert readings(db, above(0, group_by="label.zone", statistic="sum")) == {"x": 5, "y": 2}


def test_a_window_of_days_is_read_as_query_agg_reads_it(db: Connection) -> None:
    ingest_metrics(db, [metric(value=hour, ts=ago(hours=hour)) for hour in range(1, 60)])

    day = readings(db, above(0, window="1d", statistic="sum"))

    # Since the hour in which the day began.
    assert day == {"": sum(range(1, 25))}


def test_the_samples_of_a_window_end_with_its_instant(db: Connection) -> None:
    ingest_metrics(
        db,
        [
            metric(value=1, ts=ago(minutes=5)),
            metric(value=2, ts=ago(minutes=5, microseconds=-1)),
            metric(value=4, ts=ago()),
            metric(value=8, ts=ago(microseconds=-1)),
        ],
    )

    assert readings(db, above(0, statistic="sum")) == {"": 6}


def calls(conn: Connection, good: int, bad: int, *, minutes: int = 1) -> None:
    """Calls of a source, of which some failed."""
    ingest_metrics(
        conn,
        [
            metric("calls", value=1, ts=ago(minutes=minutes, seconds=n), labels=labels)
            for n, labels in enumerate([{}] * good + [{"error.type": "timeout"}] * bad)
        ],
    )


@pytest.mark.parametrize(("good", "bad", "fires"), [(0, 1, False), (18, 1, False), (18, 2, True)])
def test_a_share_of_few_observations_is_no_data(
    db: Connection, good: int, bad: int, fires: bool
) -> None:
    calls(db, good, bad)
    condition = {
        "type": "metric",
        "kind": "calls",
        "statistic": "count",
        "where": {"has": ["error.type"]},
        "divided_by": {"kind": "calls", "statistic": "count"},
        "min_count": 20,
        "window": "10m",
        "operator": ">",
        "threshold": 0.05,
        "group_by": "source",
    }
    define(db, condition)

    evaluate(db)

    assert bool(alerts(db)) is fires


@pytest.mark.parametrize(("least", "known"), [(3, True), (4, False)])
def test_a_statistic_of_few_observations_is_no_data(
    db: Connection, least: int, known: bool
) -> None:
    calls(db, 3, 0)

    assert bool(readings(db, above(0, kind="calls", min_count=least))) is known


def test_a_change_against_few_observations_is_no_data(db: Connection) -> None:
    calls(db, 3, 0)
    calls(db, 2, 0, minutes=6)
    condition = above(-1, kind="calls", statistic="sum", compare="change")

    assert readings(db, {**condition, "min_count": 2})[""] == pytest.approx(0.5)
    assert readings(db, {**condition, "min_count": 3}) == {}
