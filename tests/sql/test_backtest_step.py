"""The step of a back-test: by default, and as short as it may be."""

from __future__ import annotations

from datetime import timedelta

import pytest
from psycopg import Connection
from psycopg.types.json import Jsonb

from tests.sql.alerts import above
from tests.sql.backtests import backtest, fill_busy, suggest
from tests.sql.calls import NOW, ago, ask, ingest_metrics, metric, refused

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = 24 * HOUR


@pytest.fixture
def busy(db: Connection) -> Connection:
    """Minutes 40 to 31 ago and 10 to 1 ago have high values."""
    fill_busy(db)
    return db


@pytest.mark.parametrize(("window", "seconds"), [("2m", 300), ("12h", 3600)])
def test_a_back_test_and_a_suggestion_have_the_same_default_step(
    busy: Connection, window: str, seconds: int
) -> None:
    condition = above(5, window=window)

    tested = backtest(busy, {"condition": condition}, since=None, step=None)
    suggested = suggest(busy, condition, 2, since=None, step=None)

    assert tested["step_seconds"] == suggested["step_seconds"] == seconds


@pytest.mark.parametrize(
    ("window", "lasts", "step"),
    [
        ("5m", 10_000 * timedelta(seconds=15), timedelta(seconds=15)),
        ("5m", 10_000.6 * timedelta(seconds=15), timedelta(seconds=30)),
        ("5m", 7 * DAY - SECOND, 2 * MINUTE),
        ("5m", 7 * DAY, 5 * MINUTE),
        ("6h", 30 * DAY, 5 * MINUTE),
        ("12h", 30 * DAY, HOUR),
        ("12h", 30 * DAY + HOUR, 6 * HOUR),
        ("12h", 800 * DAY, DAY),
    ],
)
def test_a_default_step_fits_the_range(
    db: Connection, window: str, lasts: timedelta, step: timedelta
) -> None:
    ingest_metrics(db, [metric()])
    statement = "select internal.backtest_step(%s, null, %s, %s)"

    assert ask(db, statement, Jsonb(above(0, window=window)), NOW - lasts, NOW) == step


def test_a_default_step_is_one_that_the_number_of_groups_allows(db: Connection) -> None:
    ingest_metrics(db, [metric(source=f"{n}") for n in range(50)])
    statement = "select internal.backtest_step(%s, null, %s, %s)"
    condition = Jsonb(above(0, group_by="source"))

    for seconds, step in ((150_000, 15), (150_001, 30)):
        since = NOW - timedelta(seconds=seconds)
        assert ask(db, statement, condition, since, NOW) == timedelta(seconds=step)


@pytest.mark.parametrize(
    ("window", "step", "most"),
    [("5m", timedelta(seconds=15), 20_000), ("12h", HOUR, 1000)],
)
def test_a_step_may_be_as_short_as_the_number_of_steps_allows(
    db: Connection, window: str, step: timedelta, most: int
) -> None:
    ingest_metrics(db, [metric()])
    statement = "select internal.backtest_step(%s, %s, %s, %s)"
    asked = (Jsonb(above(0, window=window)), f"{step // SECOND}s")

    assert ask(db, statement, *asked, NOW - most * step, NOW) == step
    with refused(db, "steps_within_limit") as refusal:
        ask(db, statement, *asked, NOW - most * step - SECOND, NOW)
    assert refusal.message.startswith(f"the range has more than {most} steps of")


def test_a_rule_with_many_groups_is_tested_in_longer_steps(db: Connection) -> None:
    ingest_metrics(db, [metric(source=f"host-{n}", value=9, ts=ago(minutes=5)) for n in range(200)])
    rule = {"condition": above(5, group_by="source")}

    answer = backtest(db, rule, since=NOW - timedelta(days=7), step=None)

    assert answer["step_seconds"] == 300
    with refused(db, "steps_within_limit"):
        backtest(db, rule, since=NOW - timedelta(days=7), step="1m")


def test_series_without_the_label_of_a_rule_are_one_of_its_groups(db: Connection) -> None:
    zones = [{"zone": f"{n}"} for n in range(49)]
    ingest_metrics(db, [metric(value=9, labels=labels) for labels in (*zones, {})])
    rule = {"condition": above(5, group_by="label.zone")}

    with refused(db, "steps_within_limit") as refusal:
        backtest(db, rule, since=NOW - timedelta(days=7), step="15s")

    # 500,000 evaluations of 50 groups.
    assert refusal.message == "the range has more than 10000 steps of 15.000000 s"
