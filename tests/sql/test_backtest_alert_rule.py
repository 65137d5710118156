"""A back-test says what a rule would have done, and stores nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import Connection

from tests.sql.alerts import above, define, evaluate
from tests.sql.backtests import backtest, fill_busy, suggest
from tests.sql.calls import NOW, Json, ago, ask, ingest_metrics, metric, refused

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def busy(db: Connection) -> Connection:
    """Minutes 40 to 31 ago and 10 to 1 ago have high values."""
    fill_busy(db)
    return db


def seen(answer: Json) -> list[tuple[str, str]]:
    """When an alert went into which state."""
    return [(row["at"][11:16], row["to_state"]) for row in answer["transitions"]]


def test_a_back_test_lists_the_transitions_and_stores_none(busy: Connection) -> None:
    rule = {"condition": above(5, window="1m", statistic="max")}

    answer = backtest(busy, rule)

    assert seen(answer) == [
        ("11:54", "firing"),
        ("12:04", "resolved"),
        ("12:24", "firing"),
        ("12:34", "resolved"),
    ]
    assert answer["alerts"] == 2
    assert answer["firing_seconds"] == 1200
    assert ask(busy, "select count(*) from data.alert_transition") == 0


def test_a_rule_that_never_fires_fires_for_no_time(busy: Connection) -> None:
    incident = {"from": ago(minutes=40), "to": ago(minutes=30)}
    answer = backtest(busy, {"condition": above(99)}, incidents=[incident])

    assert (answer["alerts"], answer["firing_seconds"], answer["transitions"]) == (0, 0, [])
    assert answer["incidents"]["recall"] == 0


def test_a_back_test_is_of_the_last_seven_days_by_default(busy: Connection) -> None:
    answer = backtest(busy, {"condition": above(5)}, since=None, until=None, step=None)

    assert answer["from"] == "2025-06-08T12:34:56.789+00:00"
    assert answer["to"] == "2025-06-15T12:34:56.789+00:00"


def test_an_alert_that_has_not_ended_fires_until_the_end(db: Connection) -> None:
    ingest_metrics(db, [metric(value=9, ts=ago(minutes=n)) for n in range(6)])

    answer = backtest(db, {"condition": above(5, window="1m", statistic="max")})

    assert (answer["alerts"], answer["firing_seconds"]) == (1, 300)


def test_the_first_thousand_transitions_are_listed(db: Connection) -> None:
    names = [f"host-{n:04}" for n in range(1001)]
    condition = above(5, window="1h", group_by="source")

    ingest_metrics(db, [metric(source=name, value=9, ts=ago(minutes=1)) for name in names[1:]])
    answer = backtest(db, {"condition": condition}, step="30m")
    assert (len(answer["transitions"]), answer["truncated"]) == (1000, False)

    ingest_metrics(db, [metric(source=names[0], value=9, ts=ago(minutes=1))])
    answer = backtest(db, {"condition": condition}, step="30m")
    assert [row["labels"]["source"] for row in answer["transitions"]] == names[:1000]
    assert answer["truncated"]


def test_transitions_come_in_their_order_and_the_first_one_is_drawn(db: Connection) -> None:
    times = {"c": 20, "b": 30, "d": 20, "a": 10}
    for source, minutes in times.items():
        ingest_metrics(db, [metric(source=source, value=9, ts=ago(minutes=minutes))])

    condition = above(5, window="1m", statistic="max", group_by="source")
    answer = backtest(db, {"condition": condition}, points=6)

    fired = [
        row["labels"]["source"] for row in answer["transitions"] if row["to_state"] == "firing"
    ]
    assert fired == ["b", "c", "d", "a"]
    assert answer["series"]["labels"]["source"] == "b"


def test_a_rule_that_is_defined_is_tested_by_its_name(busy: Connection) -> None:
    define(busy, above(5, window="1m", statistic="max"))

    answer = backtest(busy, None, name="cpu_high")

    assert answer["alerts"] == 2
    assert answer["transitions"][0]["labels"]["alertname"] == "cpu_high"


EVENTS = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(0, 11), st.integers(0, 4)),
    min_size=1,
    max_size=20,
    unique_by=lambda row: row[:2],
)


@settings(max_examples=8, deadline=None)
@given(
    events=EVENTS,
    lasts=st.sampled_from(["0s", "1m", "3m"]),
    keeps=st.sampled_from(["0s", "1m", "3m"]),
    no_data=st.sampled_from(["ok", "keep"]),
    statistic=st.sampled_from(["avg", "count", "p90"]),
)
def test_a_back_test_is_what_evaluations_would_have_done(
    lasting: Connection,
    events: list[tuple[str, int, int]],
    lasts: str,
    keeps: str,
    no_data: str,
    statistic: str,
) -> None:
    start = NOW - 15 * MINUTE
    condition = above(2, window="3m", statistic=statistic, group_by="source")
    members: Json = {"for": lasts, "keep_firing_for": keeps, "no_data": no_data}
    with lasting.transaction(force_rollback=True):
        ingest_metrics(
            lasting,
            [
                metric(source=source, value=value, ts=(start + minute * MINUTE).isoformat())
                for source, minute, value in events
            ],
        )
        define(lasting, condition, **members)
        for minute in range(16):
            evaluate(lasting, start + minute * MINUTE)
        lived = lasting.execute(
            """
            select at, labels ->> 'source', from_state, to_state
            from data.alert_transition order by at, labels ->> 'source'
            """
        ).fetchall()

        tested = backtest(lasting, {"condition": condition, **members}, since=start, until=NOW)

    assert [
        (
            datetime.fromisoformat(row["at"]),
            row["labels"]["source"],
            row["from_state"],
            row["to_state"],
        )
        for row in tested["transitions"]
    ] == lived


@pytest.mark.parametrize("function", ["backtest", "suggest"])
def test_a_back_test_that_takes_too_long_names_the_next_step(db: Connection, function: str) -> None:
    ingest_metrics(
        db,
        [metric(source=f"{n % 9}", value=n, ts=ago(seconds=n // 9)) for n in range(9000)],
    )
    db.execute("set local statement_timeout = '100 ms'")
    condition = above(5, window="1h", statistic="p95", group_by="source")

    with refused(db, "backtest_within_limit") as problem:
        if function == "backtest":
            backtest(db, {"condition": condition}, step="1s")
        else:
            suggest(db, condition, 1, step="1s")

    assert "shorter range" in problem.hint


@pytest.mark.parametrize(("limit", "left"), [("30 s", "10s"), ("5 s", "5s"), ("0", "10s")])
def test_a_back_test_has_ten_seconds_of_the_limit(db: Connection, limit: str, left: str) -> None:
    ask(db, "select set_config('statement_timeout', %s, true)", limit)

    ask(db, "select internal.limit_backtest()")

    assert ask(db, "select current_setting('statement_timeout')") == left


@pytest.mark.parametrize(
    ("slug", "arguments"),
    [
        ("rule_or_name", {"rule": None}),
        ("document_refused", {"rule": {"condition": {"type": "metric"}}}),
        ("alert_rule_unknown", {"rule": None, "name": "none"}),
        ("from_before_to", {"rule": {"condition": above(1)}, "since": NOW, "until": NOW}),
        ("step_well_formed", {"rule": {"condition": above(1)}, "step": "often"}),
        (
            "steps_within_limit",
            {"rule": {"condition": above(1)}, "step": "1s", "since": NOW - 24 * HOUR},
        ),
        ("document_refused", {"rule": {"condition": above(1)}, "incidents": [{"from": "x"}]}),
        ("kind_unknown", {"rule": {"condition": above(1)}, "incident_kind": "Fact:None"}),
    ],
)
def test_a_bad_back_test_is_refused(busy: Connection, slug: str, arguments: Json) -> None:
    with refused(busy, slug):
        backtest(busy, **arguments)
