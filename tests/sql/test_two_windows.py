"""Two windows that are read together have the statistics that each of them has by itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from tests.sql.calls import Item, ingest_metrics, metric
from tests.support.rollups import roll_up

DAYS = 12
STATISTICS = """
select number, (statistics).kind_id, (statistics).label, to_json(statistics)
from internal.window_statistics(
    %(whole)s::bigint[], %(kinds)s::bigint[], null, %(group)s, %(bounds)s::timestamptz[],
    %(seconds)s::double precision[], null, %(overall)s
)
"""
# Sums of the same numbers in another order.
ROUNDED = ("sum", "avg", "stddev", "rate_per_second")

Statistics = dict[tuple[int, str | None], dict[str, object]]


@pytest.fixture(scope="module")
def end(ages: Iterator[datetime]) -> datetime:
    return next(ages)


@pytest.fixture(scope="module")
def history(lasting: Connection, end: datetime) -> Connection:
    """Gauges and counters, most of them rolled up, and late samples after that."""
    random = np.random.default_rng(11)
    minutes = np.sort(random.choice(DAYS * 24 * 60, 2400, replace=False))
    late = random.choice(2400, 40, replace=False)
    items = [item(end, int(minute), n) for n, minute in enumerate(minutes)]
    on_time = [item for n, item in enumerate(items) if n not in late]
    for start in range(0, len(on_time), 1000):
        ingest_metrics(lasting, on_time[start : start + 1000], now=end)
    roll_up(lasting, end - timedelta(hours=3))
    lasting.execute("call internal.refresh_late(0, '{}')")
    ingest_metrics(lasting, [items[n] for n in late], now=end)
    return lasting


def item(end: datetime, minute: int, n: int) -> Item:
    """The counter of a source starts again every 400 readings."""
    ts = (end - timedelta(days=DAYS) + timedelta(minutes=minute)).isoformat()
    source = "one" if n % 3 else "other"
    if n % 2:
        return metric(name="calls", source=source, value=n % 400, ts=ts, type="counter")
    return metric(name="load", source=source, value=n * 7919 % 1009 - 300, ts=ts)


def statistics(
    conn: Connection, bounds: list[datetime], *, whole: bool, group: str | None
) -> Statistics:
    """By number of the window, kind and group."""
    ids: dict[str, int] = dict(conn.execute("select name, kind_id from data.kind").fetchall())
    kinds = [ids["load"], ids["calls"]]
    sent = {
        "whole": kinds[:1] if whole else [],
        "kinds": kinds[1:] if whole else kinds,
        "group": group,
        "bounds": bounds,
        "seconds": [(later - earlier).total_seconds() for earlier, later in pairwise(bounds)],
        "overall": group is not None,
    }
    rows = conn.execute(STATISTICS, sent).fetchall()
    return {(number, f"{kind} {label}"): found for number, kind, label, found in rows}


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    lengths=st.tuples(st.integers(1, 5 * 24 * 60), st.integers(1, 5 * 24 * 60)),
    ago=st.integers(0, 2 * 24 * 60),
    on_the_hour=st.booleans(),
    whole=st.booleans(),
)
@example(lengths=(60, 60), ago=0, on_the_hour=True, whole=True)
@example(lengths=(7, 5), ago=0, on_the_hour=False, whole=False)
@example(lengths=(5 * 24 * 60, 5 * 24 * 60), ago=1, on_the_hour=True, whole=True)
def test_both_have_what_each_has_alone(
    history: Connection,
    end: datetime,
    lengths: tuple[int, int],
    ago: int,
    on_the_hour: bool,
    whole: bool,
) -> None:
    last = end.replace(second=0, microsecond=0) - timedelta(minutes=ago)
    cut = last - timedelta(minutes=lengths[1])
    if on_the_hour:
        cut = cut.replace(minute=0)
    bounds = [cut - timedelta(minutes=lengths[0]), cut, last]
    group = None if whole else "source"

    together = statistics(history, bounds, whole=whole, group=group)
    first = statistics(history, bounds[:2], whole=whole, group=group)
    second = statistics(history, bounds[1:], whole=whole, group=group)

    alone = first | {(2, name): found for (_, name), found in second.items()}
    assert together.keys() == alone.keys()
    for key, found in together.items():
        expected = alone[key]
        for name in ROUNDED:
            assert found[name] == pytest.approx(expected.pop(name), rel=1e-9, abs=1e-9), name
        assert {name: found[name] for name in expected} == expected
