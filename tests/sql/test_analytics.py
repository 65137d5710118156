"""The views of analytics: what analysts ask, and that the answers are right."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import numpy as np
import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import Connection

from tests.sql.calls import (
    Json,
    ask,
    fact,
    histogram,
    ingest_facts,
    ingest_metrics,
    metric,
    query_agg,
)
from tests.support.repository import ROOT
from tests.support.rollups import roll_up

# Midnight after the two days of data.
END = datetime(2025, 6, 15, tzinfo=UTC)
STEP = timedelta(minutes=10)
TIMES = [END - STEP * n for n in range(1, 2 * 144 + 1)]
SOURCES = ("shop", "mail")
PAGE = (ROOT / "docs/analytics.md").read_text()
EXAMPLES = re.findall(r"^```sql\n(.+?)^```", PAGE, re.DOTALL | re.MULTILINE)
FRAME = re.findall(r"(?s)HOURS = \"\"\"(.+?)\"\"\"", (ROOT / "examples/read_frame.py").read_text())
RESERVED = """
select format('%I.%I', relname, attname)
from pg_attribute
inner join pg_class on attrelid = pg_class.oid
where
    relnamespace = 'analytics'::regnamespace
    and attnum > 0
    and attname in (select word from pg_get_keywords() where catcode in ('R', 'T'))
"""


def seconds(source: str, ts: datetime) -> float:
    """A value that is another one for every source and time."""
    return round(0.1 + (hash_of(ts) * (1 + SOURCES.index(source)) % 997) / 100, 2)


def hash_of(ts: datetime) -> int:
    return int(ts.timestamp()) // 600 * 7919


@pytest.fixture(scope="module")
def filled(lasting: Connection) -> Connection:
    """Two days of a gauge, a counter that grows by 1 a second, a histogram and facts."""
    for source in SOURCES:
        for items in (
            [
                metric("checkout_seconds", source, seconds(source, ts), ts=ts.isoformat())
                for ts in TIMES
            ],
            [
                metric(
                    "http_requests_total",
                    source,
                    int(ts.timestamp()) % 10**6,
                    type="counter",
                    ts=ts.isoformat(),
                )
                for ts in TIMES
            ],
            [
                histogram(
                    [1, 2, 4],
                    [1, 2, 1, 0],
                    6.5,
                    name="search_seconds",
                    source=source,
                    ts=ts.isoformat(),
                )
                for ts in TIMES[::6]
            ],
        ):
            ingest_metrics(lasting, items, now=END)
    ingest_facts(
        lasting,
        [
            fact("Fact:Sale", "shop", value=n + 1, fact_id=str(n), ts=ts.isoformat())
            for n, ts in enumerate(TIMES)
        ],
        now=END,
    )
    ingest_facts(
        lasting,
        fact("Fact:Sale", "shop", value=99, fact_id="0", ts=TIMES[0].isoformat()),
        now=END,
        partial=True,
    )
    roll_up(lasting, END)
    lasting.execute("call internal.refresh_late(0, '{}')")
    return lasting


@contextmanager
def as_analyst(conn: Connection) -> Iterator[Connection]:
    with conn.transaction(force_rollback=True):
        conn.execute("set local role supervisor_analyst")
        yield conn


def test_no_column_is_named_by_a_reserved_word(filled: Connection) -> None:
    assert filled.execute(RESERVED).fetchall() == []


@pytest.mark.parametrize("view", ["metrics_hourly", "metrics_daily", "facts_hourly", "facts_daily"])
def test_who_selects_no_names_pays_for_no_join_of_names(filled: Connection, view: str) -> None:
    question = f"explain select kind, sum(sum) from analytics.{view} group by kind"
    with as_analyst(filled):
        plan = str(filled.execute(question.encode()).fetchall())
    assert "every_kind" in plan
    assert "every_source" not in plan
    assert "series_pkey" not in plan
    assert "on series" not in plan


@pytest.mark.parametrize("statement", EXAMPLES)
def test_the_examples_of_the_page_run(filled: Connection, statement: str) -> None:
    with as_analyst(filled):
        assert filled.execute(statement.encode()).description


def test_the_example_reads_the_hours_of_a_metric(filled: Connection) -> None:
    (statement,) = FRAME
    statement = statement.replace("$1", "%s").replace("now()", f"'{END.isoformat()}'::timestamptz")
    with as_analyst(filled):
        rows = filled.execute(statement.encode(), ["checkout_seconds"]).fetchall()
    assert len(rows) == 2 * 48


def test_a_percentile_of_a_day_is_that_of_the_samples(filled: Connection) -> None:
    with as_analyst(filled):
        found = filled.execute(
            "select bucket, source, count, min, p50, p90, p95, p99, max"
            " from analytics.metrics_daily where kind = 'checkout_seconds' order by bucket, source"
        ).fetchall()
    assert [row[:2] for row in found] == [
        (END - timedelta(days=n), source) for n in (2, 1) for source in sorted(SOURCES)
    ]
    for bucket, source, count, *statistics in found:
        values = [seconds(source, ts) for ts in TIMES if bucket <= ts < bucket + timedelta(days=1)]
        assert count == len(values)
        exact = np.quantile(values, [0, 0.5, 0.9, 0.95, 0.99, 1])
        np.testing.assert_allclose(statistics, exact, rtol=0.01)


def test_merged_distributions_have_the_percentiles_of_query_agg(filled: Connection) -> None:
    for kind in ("checkout_seconds", "search_seconds", "Fact:Sale"):
        view = "facts_hourly" if kind.startswith("Fact:") else "metrics_hourly"
        with as_analyst(filled):
            merged = filled.execute(
                "select"
                " analytics.percentile(analytics.merge(sketch), 0.5),"
                " analytics.percentile(analytics.merge(sketch), 0.99)"
                f" from analytics.{view} where kind = %s".encode(),
                [kind],
            ).fetchone()
        answer = query_agg(filled, kind, "3d", now=END)
        assert merged == (answer["p50"], answer["p99"]), kind


def test_a_counter_grows_by_what_it_has_grown_since_the_hour_before(filled: Connection) -> None:
    with as_analyst(filled):
        found = filled.execute(
            "select increase from analytics.metrics_hourly where kind = 'http_requests_total'"
            " and bucket > %s order by bucket",
            [END - timedelta(days=2)],
        ).fetchall()
    assert {row[0] for row in found} == {3600}


BUCKETS = """
select
    kind, source, extract(epoch from bucket - %s) / %s, count, sum, avg, min, max, stddev, last,
    increase, (sketch).histogram
from {} order by kind, source, bucket
"""


@pytest.mark.parametrize(
    ("rollup", "view", "width"),
    [
        ("sample_1h", "analytics.metrics_hourly", timedelta(hours=1)),
        ("sample_1d", "analytics.metrics_daily", timedelta(days=1)),
    ],
)
def test_buckets_have_their_statistics_and_counters_their_growth(
    db: Connection, rollup: str, view: str, width: timedelta
) -> None:
    first = END - timedelta(days=10)
    part = width / 4

    def at(bucket: int, place: int = 0) -> str:
        return (first + bucket * width + place * part).isoformat()

    visits = {
        "web": [(0, 0, 10), (0, 1, 30), (1, 0, 30), (1, 1, 50), (3, 0, 60), (3, 1, 25), (4, 0, 5)],
        "shop": [(0, 0, 1000), (2, 0, 2000)],
    }
    empty = {"bounds": [1, 2], "counts": [0, 0, 0], "sum": 0, "count": 0}
    ingest_metrics(
        db,
        [
            metric("visits", source, value, type="counter", ts=at(bucket, place))
            for source, readings in visits.items()
            for bucket, place, value in readings
        ]
        + [metric("load", "web", value, ts=at(1, value)) for value in (1, 3)]
        + [metric("load", "web", 7, ts=at(2))]
        + [metric("wait", "web", value=empty, ts=at(1))]
        + [histogram([1, 2], [0, 2, 0], 3, name="wait", source="web", ts=at(2))],
        now=END,
    )
    ingest_facts(db, fact("Fact:Sale", "web", value=5, ts=at(1)), now=END)
    hypertable = ask(db, "select internal.hypertable(%s)", rollup)
    db.execute(
        f"insert into {hypertable} select * from internal.raw_rollup("
        "array(select kind_id from data.kind), %s, %s, %s, null) order by bucket".encode(),
        [first, END, width],
    )

    found = db.execute(BUCKETS.format(view).encode(), [first, width.total_seconds()]).fetchall()
    assert [tuple(row) for row in found] == [
        ("load", "web", 1, 2, 4, 2, 1, 3, 1, 3, None, False),
        ("load", "web", 2, 1, 7, 7, 7, 7, 0, 7, None, False),
        ("visits", "shop", 0, 1, 1000, 1000, 1000, 1000, 0, 1000, 0, False),
        ("visits", "shop", 2, 1, 2000, 2000, 2000, 2000, 0, 2000, 1000, False),
        ("visits", "web", 0, 2, 40, 20, 10, 30, 10, 30, 20, False),
        ("visits", "web", 1, 2, 80, 40, 30, 50, 10, 50, 20, False),
        ("visits", "web", 3, 2, 85, 42.5, 25, 60, 17.5, 25, 35, False),
        ("visits", "web", 4, 1, 5, 5, 5, 5, 0, 5, 5, False),
        ("wait", "web", 1, 0, 0, None, None, None, None, None, None, None),
        ("wait", "web", 2, 2, 3, 1.5, 1, 2, None, None, None, True),
    ]


def test_days_of_facts_add_up_to_what_was_sent(filled: Connection) -> None:
    with as_analyst(filled):
        assert ask(filled, "select sum(sum) from analytics.facts_daily") == sum(
            range(1, len(TIMES) + 1)
        )


def test_facts_are_shown_with_their_kind_and_source(filled: Connection) -> None:
    with as_analyst(filled):
        rows = filled.execute(
            "select kind, source, count(*) from analytics.facts group by 1, 2"
        ).fetchall()
    assert rows == [("Fact:Sale", "shop", len(TIMES))]


def test_a_conflict_is_shown_with_the_item(filled: Connection) -> None:
    with as_analyst(filled):
        row = filled.execute(
            "select kind, source, item ->> 'value', attempts from analytics.conflicts"
        ).fetchall()
    assert row == [("Fact:Sale", "shop", "99", 1)]


def test_names_are_shown_with_the_number_of_their_series(filled: Connection) -> None:
    with as_analyst(filled):
        assert filled.execute(
            "select kind, type, sources, series from analytics.kinds order by 1"
        ).fetchall() == [
            ("Fact:Sale", "fact", 1, 1),
            ("checkout_seconds", "gauge", 2, 2),
            ("http_requests_total", "counter", 2, 2),
            ("search_seconds", "histogram", 2, 2),
        ]
        assert filled.execute(
            "select source, kinds, series from analytics.sources order by 1"
        ).fetchall() == [("mail", 3, 3), ("shop", 4, 4)]
        assert ask(filled, "select count(*) from analytics.series") == 7


def test_the_current_aggregate_is_the_newest_snapshot(filled: Connection) -> None:
    with filled.transaction(force_rollback=True):
        filled.execute(
            "insert into data.aggregate (kind_id, window_name, minute, computed_at, answer)"
            " select kind_id, '7d', minute, minute, json_build_object('count', n)"
            " from data.kind,"
            " (values (1, timestamptz '2025-06-15'), (2, '2025-06-16')) as answer (n, minute)"
            " where name = 'Fact:Sale'"
        )
        filled.execute("set local role supervisor_analyst")
        found = filled.execute(
            "select count from analytics.current_aggregates where kind = 'Fact:Sale'"
            " and window_name = '7d' and computed_at < '2025-07-01'"
        ).fetchall()
    assert found == [(2,)]


values = st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=1, max_size=20)


@settings(max_examples=30, deadline=None)
@given(parts=st.lists(values, min_size=1, max_size=4), q=st.floats(0, 1))
def test_a_percentile_lies_within_a_hundredth_of_numpy(
    filled: Connection, parts: list[list[float]], q: float
) -> None:
    found = ask(
        filled,
        """
        select analytics.percentile(analytics.merge(sketch), %s) from (
            select row(
                count(*), sum(internal.sketch(v)), sum(internal.sketch_other(v)),
                min(v), max(v), false
            )::analytics.sketch as sketch
            from jsonb_array_elements(%s::jsonb) as part
            cross join lateral (
                select value::double precision as v from jsonb_array_elements_text(part)
            ) as reading
            group by part
        ) as each
        """,
        q,
        str(parts),
    )
    everything = np.array([value for part in parts for value in part])
    # Two equal parts are one group.
    if len({str(part) for part in parts}) == len(parts):
        ranks = np.sort(everything)
        place = q * (len(ranks) - 1)
        low, high = ranks[int(np.floor(place))], ranks[int(np.ceil(place))]
        bound = 0.0101 * max(abs(low), abs(high)) + 1e-9
        assert low - bound <= found <= high + bound


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_out_of_range_is_refused(filled: Connection, share: float) -> None:
    with (
        pytest.raises(psycopg.errors.InvalidParameterValue, match="out of range"),
        as_analyst(filled),
    ):
        ask(
            filled,
            "select analytics.percentile(row(1, 1, 0, 1, 1, false)::analytics.sketch, %s)",
            share,
        )


def test_a_percentile_that_is_not_selected_is_not_computed(filled: Connection) -> None:
    with as_analyst(filled):
        plans = [
            str(
                ask(
                    filled,
                    f"explain (verbose, format json) select {column} from analytics.metrics_hourly",
                )
            )
            for column in ("avg", "p95")
        ]
    assert ["percentile" in plan for plan in plans] == [False, True]


def test_the_history_of_what_does_not_grow_is_not_searched(filled: Connection) -> None:
    with as_analyst(filled):
        loops = {
            kind: subplan_loops(
                ask(
                    filled,
                    "explain (analyze, format json)"
                    " select increase from analytics.metrics_hourly where kind = %s",
                    kind,
                )[0]["Plan"]
            )
            for kind in ("checkout_seconds", "http_requests_total")
        }
    assert loops["checkout_seconds"] == 0
    assert loops["http_requests_total"] > 0


def subplan_loops(plan: Json) -> float:
    """How often the statements within a statement ran."""
    own = plan["Actual Loops"] if plan.get("Parent Relationship") == "SubPlan" else 0
    return own + sum(subplan_loops(part) for part in plan.get("Plans", []))


@pytest.mark.parametrize(
    ("rollup", "view", "width"),
    [
        ("sample_1h", "analytics.facts_hourly", timedelta(hours=1)),
        ("sample_1d", "analytics.facts_daily", timedelta(days=1)),
    ],
)
def test_buckets_of_facts_have_their_statistics(
    db: Connection, rollup: str, view: str, width: timedelta
) -> None:
    first = END - timedelta(days=10)

    def at(bucket: int) -> Json:
        return {"ts": (first + bucket * width).isoformat()}

    sold = [
        fact("Fact:Sale", "web", value=value, **at(bucket))
        for bucket, value in ((0, 1), (0, 3), (1, 7))
    ]
    visits = [fact("Fact:Visit", "web", fact_id=str(n), **at(1)) for n in range(2)]
    ingest_facts(db, sold + visits, now=END)
    ingest_metrics(db, metric("load", "web", **at(0)), now=END)
    hypertable = ask(db, "select internal.hypertable(%s)", rollup)
    db.execute(
        f"insert into {hypertable} select * from internal.raw_rollup("
        "array(select kind_id from data.kind), %s, %s, %s, null)".encode(),
        [first, END, width],
    )

    found = db.execute(
        "select kind, source, extract(epoch from bucket - %s) / %s, count, sum, avg, min, max,"
        " stddev, last, round(p50::numeric, 1), (sketch).histogram, sketch is null"
        f" from {view} order by kind, bucket".encode(),
        [first, width.total_seconds()],
    ).fetchall()
    assert [tuple(row) for row in found] == [
        ("Fact:Sale", "web", 0, 2, 4, 2, 1, 3, 1, 3, 2, False, False),
        ("Fact:Sale", "web", 1, 1, 7, 7, 7, 7, 0, 7, 7, False, False),
        ("Fact:Visit", "web", 1, 2, None, None, None, None, None, None, None, None, True),
    ]
