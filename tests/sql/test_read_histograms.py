"""The histograms of a batch: common ones are read in one pass over it, others one by one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from psycopg import Connection

from tests.sql.calls import ask, histogram

READ = """
select json_agg(json_build_object('observations', observations, 'fault', fault) order by place)
from unnest(internal.read_histograms(%s::json)) with ordinality
    as read (observations, sum, low, high, sketch, sketch_other, fault, place)
"""
# Calls of read_histogram in this transaction.
CALLS = (
    "select coalesce(pg_stat_get_xact_function_calls("
    "'internal.read_histogram(jsonb)'::regprocedure), 0)"
)


def value(bounds: list[float], counts: list[int], total: float) -> Any:
    """The value of a histogram item."""
    return histogram(bounds, counts, total)["value"]


def spelled(value: Any, total: str) -> str:
    """A value in JSON, with this spelling of its sum."""
    return json.dumps({**value, "sum": "here"}).replace('"here"', total)


def body(*values: str) -> str:
    """A batch with these values."""
    return "[" + ",".join(f'{{"name":"latency","value":{each}}}' for each in values) + "]"


def singly(conn: Connection, text: str) -> int:
    """How many histograms of a batch are read one by one."""
    conn.execute("set local track_functions = 'pl'")
    before: int = ask(conn, CALLS)
    ask(conn, READ, text)
    return int(ask(conn, CALLS)) - before


@pytest.mark.parametrize(
    "sent",
    [
        json.dumps(value([1, 2], [1, 2, 3], 9)),
        json.dumps(value([1, 2], [1, 2, 3], 9), indent=1),
        json.dumps(value([1], [3, 0], 2)),
        json.dumps(value([float(n) for n in range(1, 501)], [1] * 501, 126000)),
        json.dumps(value([1, 2], [0, 0, 0], 0)),
        json.dumps(value([1, 2], [2147483647, 0, 0], 5)),
        # A sum at the edge of what the bounds allow.
        json.dumps(value([1, 2], [1, 0, 0], 0)),
        json.dumps(value([-1, 0], [0, 1, 0], 0)),
        json.dumps(value([-1, 0.5], [3, 2, 0], -7.5)),
        spelled(value([1, 2], [1, 2, 3], 9), "0.9e1"),
        spelled(value([1, 2], [1, 2, 3], 9), "9." + 97 * "0"),
    ],
)
def test_common_histograms_are_read_in_one_pass(db: Connection, sent: str) -> None:
    assert singly(db, body(sent, sent, sent)) == 0


@pytest.mark.parametrize(
    "sent",
    [
        spelled(value([1, 2], [1, 0, 0], 0), "9e-100"),
        json.dumps({**value([1, 2], [1, 2, 3], 9), "more": 1}),
        json.dumps({**value([1, 2], [1, 2, 3], 9), "count": 7}),
        json.dumps(value([2, 1], [1, 2, 3], 9)),
    ],
)
def test_what_may_be_otherwise_is_read_by_itself(db: Connection, sent: str) -> None:
    good = json.dumps(value([1, 2], [1, 2, 3], 9))

    assert singly(db, body(good, sent, good, sent)) == 2


def test_histograms_come_in_the_order_of_their_items(db: Connection) -> None:
    # They share few bounds, in another order.
    values = [json.dumps(value([1, 10 - n % 3], [2, n, 0], n)) if n % 2 else "7" for n in range(20)]

    read = ask(db, READ, body(*values))
    assert [each["observations"] for each in read] == [2 + n if n % 2 else None for n in range(20)]


def test_more_than_500_bounds_are_refused_in_a_batch_too(db: Connection) -> None:
    sent = json.dumps(value([float(n) for n in range(1, 502)], [1] * 502, 126000))

    (read,) = ask(db, READ, body(sent))
    assert read["fault"].startswith("A histogram has 1 to 500 bounds")


def test_a_batch_without_bounds_has_no_histograms(db: Connection) -> None:
    assert ask(db, "select internal.read_histograms(%s)", '[{"value": {}}, {"value": 1}]') is None
