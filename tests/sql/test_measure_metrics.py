"""Every column of what a condition on a metric sees, of one rule and of many at once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from psycopg import Connection

from tests.sql.alerts import above, define
from tests.sql.calls import NOW, Json, ago, histogram, ingest_metrics, metric

MINUTE = timedelta(minutes=1)
Row = tuple[str, float | None, bool | None, int, list[float | None] | None]
CALLS: Json = {"kind": "calls", "statistic": "sum"}
FAILED = above(0.5, kind="errors", statistic="sum", divided_by=CALLS, group_by="source")
MEAN = above(0.5, kind="errors", divided_by={**CALLS, "statistic": "avg"}, group_by="source")
ABSENT: Json = {"type": "metric", "kind": "cpu", "statistic": "absent", "window": "5m"}
FIRING: Json = {"no_data": "firing"}
# What a rule is about, what it has besides, and its readings.
CASES: dict[str, tuple[Json, Json, list[Row]]] = {
    "a statistic": (above(3), {}, [("", 4, True, 2, None)]),
    "a sum": (above(8, statistic="sum"), {}, [("", 8, False, 2, None)]),
    "each source": (
        above(4, group_by="source"),
        {},
        [("a", 3, False, 1, None), ("b", 5, True, 1, None)],
    ),
    "some series": (above(1, where={"source": "a"}), {}, [("", 3, True, 1, None)]),
    "a longer window": (above(1, window="10m", statistic="sum"), {}, [("", 10, True, 3, None)]),
    "a kind without series": (above(1, kind="none"), {}, []),
    "a silent kind": (above(1, kind="old"), {}, []),
    "a silent kind that fires": (above(1, kind="old"), FIRING, [("", None, None, 0, None)]),
    "silent sources that fire": (
        above(3, group_by="source"),
        FIRING,
        [("a", 3, False, 1, None), ("b", 5, True, 1, None), ("silent", None, None, 0, None)],
    ),
    "silent sources of some series": (
        above(3, group_by="source", where={"source": "silent"}),
        FIRING,
        [("silent", None, None, 0, None)],
    ),
    "absence": (ABSENT, {}, [("", None, False, 2, None)]),
    "absence of a source": (
        {**ABSENT, "group_by": "source"},
        {},
        [
            ("a", None, False, 1, None),
            ("b", None, False, 1, None),
            ("silent", None, True, 0, None),
        ],
    ),
    "absence of a kind": ({**ABSENT, "kind": "old"}, {}, [("", None, True, 0, None)]),
    "no observations": (
        above(0, kind="latency", statistic="count", operator="=="),
        {},
        [("", 0, True, 0, None)],
    ),
    "as few observations as asked for": (above(1, min_count=2), {}, [("", 4, True, 2, None)]),
    "fewer observations": (
        above(1, min_count=2, group_by="source", window="10m"),
        {},
        [("a", 2.5, True, 2, None)],
    ),
    "fewer observations that fire": (above(1, min_count=3), FIRING, [("", None, None, 0, None)]),
    "a ratio": (
        FAILED,
        {},
        [
            ("a", 0.3, False, 3, [3, 10, None, None]),
            ("b", 0, False, 1, [None, 20, None, None]),
            ("c", None, None, 1, [7, None, None, None]),
        ],
    ),
    "a ratio of means": (
        MEAN,
        {},
        [
            ("a", 0.15, False, 3, [1.5, 10, None, None]),
            ("b", None, None, 1, [None, 20, None, None]),
            ("c", None, None, 1, [7, None, None, None]),
        ],
    ),
    "a ratio of some calls": (
        {**FAILED, "divided_by": {**CALLS, "where": {"source": "a"}}},
        {},
        [
            ("a", 0.3, False, 3, [3, 10, None, None]),
            ("c", None, None, 1, [7, None, None, None]),
        ],
    ),
    "a ratio of few calls": (
        {**FAILED, "min_count": 1},
        {},
        [("a", 0.3, False, 3, [3, 10, None, None]), ("b", 0, False, 1, [None, 20, None, None])],
    ),
    "a ratio of fewer calls": ({**FAILED, "min_count": 2}, {}, []),
    "a change": (
        above(0.5, compare="change", where={"source": "a"}),
        {},
        [("", 0.5, False, 1, [3, None, 2, None])],
    ),
    "a change of each source": (
        above(0, compare="change", group_by="source"),
        {},
        [
            ("a", 0.5, True, 1, [3, None, 2, None]),
            ("b", None, None, 1, [5, None, None, None]),
        ],
    ),
    "a change to nothing": (
        above(0, kind="before", compare="change"),
        {},
        [("", None, None, 0, [None, None, 4, None])],
    ),
    "a change from few": (
        above(0, compare="change", min_count=1, group_by="source"),
        {},
        [("a", 0.5, True, 1, [3, None, 2, None])],
    ),
    "a change from fewer": (above(0, compare="change", min_count=2), {}, []),
    "a change of a ratio": (
        {**FAILED, "compare": "change"},
        {},
        [
            ("a", 0.5, False, 3, [3, 10, 4, 20]),
            ("b", None, None, 1, [None, 20, None, 40]),
            ("c", None, None, 1, [7, None, None, None]),
        ],
    ),
    "a change of a ratio of means": (
        {**MEAN, "compare": "change"},
        {},
        [
            ("a", -0.25, False, 3, [1.5, 10, 4, 20]),
            ("b", None, None, 1, [None, 20, None, 40]),
            ("c", None, None, 1, [7, None, None, None]),
        ],
    ),
    "a change of a ratio of some calls": (
        {**FAILED, "compare": "change", "divided_by": {**CALLS, "where": {"source": "a"}}},
        {},
        [
            ("a", 0.5, False, 3, [3, 10, 4, 20]),
            ("c", None, None, 1, [7, None, None, None]),
        ],
    ),
    "a change of a ratio of few calls": (
        {**FAILED, "compare": "change", "min_count": 1},
        {},
        [
            ("a", 0.5, False, 3, [3, 10, 4, 20]),
            ("b", None, None, 1, [None, 20, None, 40]),
        ],
    ),
    "a change of a ratio of fewer calls": (
        {**FAILED, "compare": "change", "min_count": 2},
        {},
        [],
    ),
}


@pytest.fixture
def known(db: Connection) -> Connection:
    """Readings of two sources that send, and of others that do not."""
    sent: list[tuple[str, str, float, float]] = [
        ("cpu", "a", 3, 2),
        ("cpu", "b", 5, 1),
        ("cpu", "a", 2, 7),
        ("cpu", "silent", 9, 60),
        ("old", "a", 1, 60),
        ("before", "a", 4, 7),
        ("errors", "a", 1, 1),
        ("errors", "a", 2, 2),
        ("errors", "c", 7, 1),
        ("calls", "a", 10, 1),
        ("calls", "b", 20, 1),
        ("errors", "a", 4, 6),
        ("calls", "a", 20, 6),
        ("calls", "b", 40, 6),
    ]
    ingest_metrics(
        db,
        [
            *(
                metric(name, source, value, ts=ago(minutes=age))
                for name, source, value, age in sent
            ),
            histogram([1], [0, 0], 0, ts=ago(minutes=1)),
        ],
    )
    return db


def measured(
    conn: Connection, rules: dict[str, int], start: datetime = NOW, end: datetime = NOW
) -> dict[tuple[str, datetime], list[Any]]:
    """The readings of rules, by rule and instant."""
    names = {number: name for name, number in rules.items()}
    rows = conn.execute(
        """
        select rule_id, at, label, value, active, observations, parts
        from internal.measure_metrics(
            array(select stated from data.alert_rule_version as stated where rule_id = any(%s)),
            %s, %s, '1 min'
        )
        order by rule_id, at, label
        """,
        [list(names), start, end],
    ).fetchall()
    found: dict[tuple[str, datetime], list[Any]] = {}
    for number, at, label, value, *more in rows:
        shown = None if value is None else round(value, 9)
        found.setdefault((names[number], at), []).append((label, shown, *more))
    return found


@pytest.mark.parametrize("name", CASES)
def test_a_rule_reads_its_groups_with_their_parts(known: Connection, name: str) -> None:
    condition, members, expected = CASES[name]
    rule = define(known, condition, name="alone", **members)

    assert measured(known, {name: rule}).get((name, NOW), []) == expected


def test_rules_that_are_read_together_see_what_each_sees_alone(known: Connection) -> None:
    rules = {
        name: define(known, condition, name=f"rule_{place}", **members)
        for place, (name, (condition, members, _)) in enumerate(CASES.items())
    }

    start = NOW - 3 * MINUTE
    together = measured(known, rules, start)
    alone: dict[tuple[str, datetime], list[Any]] = {}
    for name, number in rules.items():
        alone |= measured(known, {name: number}, start)
    assert together == alone
    assert {at for _, at in together} == {start + n * MINUTE for n in range(4)}


@pytest.mark.parametrize(
    ("statistic", "value"),
    [("last", 40), ("rate", 0.1), ("p50", 20), ("p90", 36), ("p95", 38), ("p99", 39.6)],
)
def test_a_statistic_is_read_where_one_rule_of_several_asks_for_it(
    db: Connection, statistic: str, value: float
) -> None:
    ingest_metrics(
        db,
        [
            metric(value=each, type="counter", ts=ago(minutes=4 - place))
            for place, each in enumerate([10, 20, 40])
        ],
    )
    asked = define(db, above(0, statistic=statistic), name="asked")
    other = define(db, above(0, statistic="sum"), name="other")

    for rules in ({"asked": asked}, {"asked": asked, "other": other}):
        ((label, read, *_),) = measured(db, rules)["asked", NOW]
        assert (label, read) == ("", value)
