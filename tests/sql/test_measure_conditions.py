"""What a condition sees, by its type."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from tests.sql.alerts import above, alerts, define, evaluate, newest
from tests.sql.calls import (
    NOW,
    Json,
    ago,
    ask,
    fact,
    histogram,
    ingest_facts,
    ingest_metrics,
    metric,
)
from tests.support.rollups import roll_up

MICROSECOND = timedelta(microseconds=1)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
STATISTICS = ("count", "sum", "avg", "min", "max", "last", "p50", "p90", "p95", "p99", "rate")


def readings(conn: Connection, condition: Json, now: datetime = NOW) -> dict[str, Any]:
    """The value of each group under a condition."""
    rule = define(conn, condition, name=f"rule_{ask(conn, 'select count(*) from data.alert_rule')}")
    rows = conn.execute(
        """
        select label, value from internal.measure_conditions(
            array(select stated from data.alert_rule_version as stated where rule_id = %s),
            %s, %s, '1 s'
        )
        """,
        (rule, now, now),
    ).fetchall()
    return dict(rows)


def server(conn: Connection, name: str = "acme/search", *, since: datetime, **columns: Any) -> int:
    """A registered server, watched by a service that has been running for as long."""
    number: int = ask(
        conn,
        """
        insert into data.server (
            name, status, tags, keepalive_seconds, failures_to_down, successes_to_recover,
            sla_target, probe, registered_at, updated_at
        )
        values (%s, 'active', %s, 60, 1, 1, 99.9, false, %s, %s) returning server_id
        """,
        name,
        columns.get("tags", []),
        since,
        since,
    )
    return number


def lasted(
    conn: Connection,
    number: int,
    status: str,
    since: datetime,
    until: datetime,
    signal: str = "report",
) -> None:
    """A status that a signal of a server has had."""
    conn.execute(
        """
        insert into data.health_interval (server_id, signal, status, during)
        values (%s, %s, %s, tstzrange(%s, %s))
        """,
        (number, signal, status, since, until),
    )


@pytest.fixture
def watched(db: Connection) -> Connection:
    """The service has been running for ten days, and runs."""
    db.execute(
        "insert into data.service_uptime (during) values (tstzrange(%s, %s))",
        (NOW - timedelta(days=10), NOW + timedelta(hours=1)),
    )
    return db


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


def test_a_server_that_is_down_fires(watched: Connection) -> None:
    for name, status in (("a", "down"), ("b", "up")):
        lasted(watched, server(watched, name, since=NOW - DAY), status, NOW - HOUR, NOW + HOUR)
    define(watched, {"type": "health", "statuses": ["down", "degraded"]})

    evaluate(watched)

    assert alerts(watched) == {"a": "firing"}
    assert newest(watched)["evidence"]["status"] == "down"


@pytest.mark.parametrize(
    ("at", "status"),
    [
        (-HOUR, None),
        (-HOUR + MICROSECOND, 0),
        (-30 * MINUTE, 0),
        (-30 * MINUTE + MICROSECOND, 3),
        (-20 * MINUTE, 3),
        (-20 * MINUTE + MICROSECOND, 2),
        (-10 * MINUTE, 2),
        (-10 * MINUTE + MICROSECOND, 1),
        (-MINUTE, 1),
        (-MINUTE + MICROSECOND, None),
    ],
)
def test_a_rule_of_health_sees_what_was_known_just_before_an_instant(
    watched: Connection, at: timedelta, status: int | None
) -> None:
    number = server(watched, since=NOW - HOUR)
    watched.execute(
        "update data.server set deregistered_at = %s where server_id = %s", (NOW - MINUTE, number)
    )
    for minutes, said in ((30, "down"), (20, "degraded"), (10, "up")):
        begin = NOW - minutes * MINUTE
        lasted(watched, number, said, begin, begin + 10 * MINUTE)
    define(watched, {"type": "health", "statuses": ["down", "degraded"]})

    found = watched.execute(
        """
        select label, active, observations, parts from internal.measure_health(
            array(select stated from data.alert_rule_version as stated), %s, %s, '1 s'
        )
        """,
        (NOW + at, NOW + at),
    ).fetchall()
    expected = [] if status is None else [("acme/search", status >= 2, 1, [status])]
    assert found == expected


def test_a_rule_of_health_can_be_about_tags(watched: Connection) -> None:
    for name, tag in (("a", "prod"), ("b", "test")):
        number = server(watched, name, since=NOW - DAY, tags=[tag])
        lasted(watched, number, "down", NOW - HOUR, NOW + HOUR)
    define(watched, {"type": "health", "statuses": ["down"], "tags": ["prod"]})

    evaluate(watched)

    assert alerts(watched) == {"a": "firing"}


def test_a_lost_keepalive_fires(watched: Connection) -> None:
    for name, end in (("lost", NOW - 10 * MINUTE), ("kept", NOW + MINUTE)):
        number = server(watched, name, since=NOW - DAY)
        lasted(watched, number, "up", NOW - HOUR, end, "keepalive")
    server(watched, "never", since=NOW - DAY)
    define(watched, {"type": "keepalive"})

    evaluate(watched)

    assert alerts(watched) == {"lost": "firing"}
    assert newest(watched)["value"] == 600


def test_no_keepalive_is_lost_while_the_service_was_stopped(db: Connection) -> None:
    db.execute(
        "insert into data.service_uptime (during) values (tstzrange(%s, %s)), (tstzrange(%s, %s))",
        (NOW - DAY, NOW - HOUR, NOW - MINUTE, NOW),
    )
    lasted(db, server(db, since=NOW - DAY), "up", NOW - DAY, NOW - HOUR, "keepalive")
    define(db, {"type": "keepalive"})

    evaluate(db)

    assert alerts(db) == {}


def keepalives(conn: Connection, now: datetime) -> list[tuple[str, float | None, bool | None]]:
    """What a rule about keep-alives sees: server, seconds without one, whether it is active."""
    rows = conn.execute(
        """
        select label, value, active, observations
        from internal.measure_keepalives(
            array(select stated from data.alert_rule_version as stated), %s, %s, '1 s'
        )
        order by label
        """,
        (now, now),
    ).fetchall()
    assert {observations for *_, observations in rows} <= {1}
    return [(label, value, active) for label, value, active, _ in rows]


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (-3 * HOUR, []),
        (-3 * HOUR + MICROSECOND, [("acme/search", None, False)]),
        (-2 * HOUR, [("acme/search", 0, False)]),
        (-2 * HOUR + MICROSECOND, [("acme/search", 1e-6, True)]),
        (-HOUR, [("acme/search", 3600, True)]),
        (-HOUR + MICROSECOND, [("acme/search", 3600.000001, False)]),
        (0 * HOUR, [("acme/search", 600, True)]),
    ],
)
def test_a_keepalive_is_lost_until_the_next_one(
    watched: Connection, at: timedelta, expected: list[tuple[str, float | None, bool]]
) -> None:
    number = server(watched, since=NOW - DAY)
    for begin, end in ((-3 * HOUR, -2 * HOUR), (-HOUR, -10 * MINUTE)):
        lasted(watched, number, "up", NOW + begin, NOW + end, "keepalive")
    define(watched, {"type": "keepalive"})

    assert keepalives(watched, NOW + at) == expected


def test_the_present_state_of_keepalives_counts_and_no_other_one(watched: Connection) -> None:
    for name, signal, status, until in (
        ("kept", "keepalive", "up", MINUTE),
        ("lost", "keepalive", "up", -MINUTE),
        ("never", "keepalive", "unknown", -2 * HOUR),
        ("reported", "report", "up", MINUTE),
    ):
        watched.execute(
            "insert into data.health_state"
            " (server_id, signal, status, since, last_at, expires_at, recent)"
            " values (%s, %s, %s, %s, %s, %s, '{}')",
            (
                server(watched, name, since=NOW - DAY),
                signal,
                status,
                NOW - HOUR,
                NOW - HOUR,
                NOW + until,
            ),
        )
    define(watched, {"type": "keepalive"})

    assert keepalives(watched, NOW) == [("kept", None, False), ("lost", 60, True)]


@pytest.mark.parametrize(
    ("at", "seen"),
    [
        (-HOUR, False),
        (-HOUR + MICROSECOND, True),
        (-MINUTE, True),
        (-MINUTE + MICROSECOND, False),
    ],
)
def test_a_keepalive_is_missed_while_a_server_is_registered(
    watched: Connection, at: timedelta, seen: bool
) -> None:
    number = server(watched, since=NOW - HOUR)
    watched.execute(
        "update data.server set deregistered_at = %s where server_id = %s", (NOW - MINUTE, number)
    )
    lasted(watched, number, "up", NOW - 3 * HOUR, NOW - 2 * HOUR, "keepalive")
    define(watched, {"type": "keepalive"})

    assert [label for label, *_ in keepalives(watched, NOW + at)] == ["acme/search"] * seen


@pytest.mark.parametrize(
    ("began", "ended", "active"),
    [(180, 30, True), (179, 30, None), (180, 31, None)],
)
def test_a_keepalive_is_lost_where_the_service_was_running_for_three_of_them(
    db: Connection, began: int, ended: int, active: bool | None
) -> None:
    db.execute(
        "insert into data.service_uptime (during) values (tstzrange(%s, %s))",
        (NOW - began * SECOND, NOW - ended * SECOND),
    )
    lasted(db, server(db, since=NOW - DAY), "up", NOW - DAY, NOW - HOUR, "keepalive")
    define(db, {"type": "keepalive"})

    assert keepalives(db, NOW) == [("acme/search", 3600, active)]


def test_a_fast_burn_fires(watched: Connection) -> None:
    """2 % of an hour is 20 times the budget of 99.9 %."""
    number = server(watched, since=NOW - DAY)
    lasted(watched, number, "up", NOW - DAY, NOW - 72 * SECOND)
    lasted(watched, number, "down", NOW - 72 * SECOND, NOW + HOUR)
    define(watched, {"type": "burn_rate"})

    evaluate(watched)

    assert alerts(watched) == {"acme/search": "firing"}
    assert newest(watched)["value"] == pytest.approx(20)


def test_a_burn_that_has_ended_does_not_fire(watched: Connection) -> None:
    number = server(watched, since=NOW - DAY)
    lasted(watched, number, "up", NOW - DAY, NOW - 30 * MINUTE)
    lasted(watched, number, "down", NOW - 30 * MINUTE, NOW - 28 * MINUTE)
    lasted(watched, number, "up", NOW - 28 * MINUTE, NOW + HOUR)
    define(watched, {"type": "burn_rate", "pairs": [{"factor": 14.4, "short": "5m", "long": "1h"}]})

    evaluate(watched)

    assert alerts(watched) == {}


def test_a_server_known_for_minutes_burns_no_budget_of_hours(watched: Connection) -> None:
    number = server(watched, since=NOW - 25 * MINUTE)
    lasted(watched, number, "up", NOW - 25 * MINUTE, NOW - 5 * MINUTE)
    lasted(watched, number, "down", NOW - 5 * MINUTE, NOW + HOUR)
    define(watched, {"type": "burn_rate"})

    # Half of the hour is known five minutes later.
    evaluate(watched, NOW + 5 * MINUTE - SECOND)
    assert alerts(watched) == {}
    evaluate(watched, NOW + 5 * MINUTE)

    assert alerts(watched) == {"acme/search": "firing"}


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


def test_a_burn_rate_of_metrics_needs_a_target(db: Connection) -> None:
    ingest_metrics(
        db,
        [
            metric("errors", value=5, ts=ago(minutes=1)),
            metric("calls", value=100, ts=ago(minutes=1)),
        ],
    )
    condition = {
        "type": "burn_rate",
        "kind": "errors",
        "statistic": "sum",
        "divided_by": {"kind": "calls", "statistic": "sum"},
        "target": 99,
        "pairs": [{"factor": 4, "short": "5m", "long": "1h"}],
    }

    assert readings(db, condition)[""] == pytest.approx(5)


# Minutes ago, failed, and calls: by the quarter that may fail, the rates of 5 minutes, 30 minutes,
# an hour and six hours are 3, 2.5, 2 and 1 of one source, 1, 1.5, 2 and 3 of the other.
BURNS = {
    "falling": [(1, 3, 4), (20, 2, 4), (40, 1, 4), (180, 2, 20)],
    "rising": [(1, 1, 4), (20, 2, 4), (40, 3, 4), (180, 18, 20)],
}


@pytest.mark.parametrize(
    ("source", "factors", "value", "active"),
    [
        ("falling", (2, 9), 2, True),
        ("falling", (9, 1), 1, True),
        ("falling", (2.5, 9), 2, False),
        ("falling", (9, 2), 2, False),
        ("falling", (9, 9), 2, False),
        ("rising", (1, 9), 2, True),
        ("rising", (9, 1.5), 3, True),
        ("rising", (9, 2), 2, False),
    ],
)
def test_a_burn_rate_is_that_of_the_shortest_pair_that_burns_in_both_windows(
    db: Connection, source: str, factors: tuple[float, float], value: float, active: bool
) -> None:
    for name, spans in BURNS.items():
        for minutes, failed, made in spans:
            at = ago(minutes=minutes)
            ingest_metrics(
                db,
                [
                    metric("errors", value=failed, source=name, ts=at),
                    metric("calls", value=made, source=name, ts=at),
                ],
            )
    condition = {
        "type": "burn_rate",
        "kind": "errors",
        "statistic": "sum",
        "divided_by": {"kind": "calls", "statistic": "sum"},
        "target": 75,
        # The longer pair first.
        "pairs": [
            {"factor": factors[1], "short": "30m", "long": "6h"},
            {"factor": factors[0], "short": "5m", "long": "1h"},
        ],
    }
    rule = define(db, {**condition, "group_by": "source"})
    define(db, condition, name="all")

    rows = db.execute(
        """
        select label, value, active, observations, parts from internal.measure_conditions(
            array(select stated from data.alert_rule_version as stated), %s, %s, '1 minute'
        )
        where rule_id = %s and at = %s
        """,
        [NOW - MINUTE, NOW, rule, NOW],
    ).fetchall()

    parts = {"falling": [2, 1, 3, 2.5], "rising": [2, 3, 1, 1.5]}
    assert sorted(row[0] for row in rows) == ["falling", "rising"]
    (found,) = (row[1:] for row in rows if row[0] == source)
    assert found == (value, active, 8, parts[source])


def test_groups_are_expected_for_seven_days_after_their_data(db: Connection) -> None:
    ages = {"a": 7 * DAY, "b": 7 * DAY - SECOND, "c": 10 * DAY, "d": -SECOND, "e": 0 * SECOND}
    for source, age in ages.items():
        at = (NOW - age).isoformat()
        ingest_metrics(db, metric(source=source, ts=at), now=NOW + SECOND)
        ingest_facts(db, fact(source=source, ts=at), now=NOW + SECOND)
    ingest_metrics(db, metric("memory", "other", ts=ago(minutes=1)))

    for kind in ("cpu", "Fact:Deal"):
        rows = db.execute(
            """
            select expected.at, expected.label
            from data.kind
            cross join lateral internal.expected_groups(
                kind.kind_id, null, 'source', %s, %s, '1 s'
            ) as expected
            where kind.name = %s
            order by 1, 2
            """,
            [NOW, NOW + SECOND, kind],
        ).fetchall()
        later = NOW + SECOND
        assert rows == [(NOW, "b"), (NOW, "e"), (later, "d"), (later, "e")]


def test_series_without_a_label_are_expected_as_a_group_of_their_own(db: Connection) -> None:
    ingest_metrics(db, [metric(labels={"zone": "x"}, ts=ago(hours=1)), metric(ts=ago(hours=1))])
    kind = ask(db, "select kind_id from data.kind where name = 'cpu'")

    rows = db.execute(
        "select label from internal.expected_groups(%s, null, 'label.zone', %s, %s, '1 s')",
        [kind, NOW, NOW],
    ).fetchall()

    assert sorted(rows) == [("",), ("x",)]


def test_a_fact_that_does_not_follow_fires(db: Connection) -> None:
    ingest_facts(
        db,
        [
            fact("Fact:Placed", subject="1", ts=ago(minutes=20)),
            fact("Fact:Placed", subject="2", ts=ago(minutes=20)),
            fact("Fact:Placed", subject="3", ts=ago(minutes=5)),
            fact("Fact:Paid", subject="1", ts=ago(minutes=15)),
        ],
    )
    define(
        db,
        {
            "type": "fact",
            "kind": "Fact:Paid",
            "present": False,
            "within": "10m",
            "after": {"kind": "Fact:Placed"},
            "window": "1h",
            "join": "subject",
        },
    )

    evaluate(db)

    # The third one has five minutes left.
    assert alerts(db) == {"2": "firing"}


def test_a_fact_that_follows_another_fires(db: Connection) -> None:
    ingest_facts(
        db,
        [
            fact("Fact:Deployed", source="a", ts=ago(minutes=20)),
            fact("Fact:Deployed", source="b", ts=ago(minutes=20)),
            fact("Fact:Failed", source="a", ts=ago(minutes=15)),
            fact("Fact:Failed", source="b", ts=ago(minutes=5)),
        ],
    )
    define(
        db,
        {
            "type": "fact",
            "kind": "Fact:Failed",
            "present": True,
            "within": "10m",
            "after": {"kind": "Fact:Deployed"},
            "window": "1h",
            "join": "source",
        },
    )

    evaluate(db)

    assert alerts(db) == {"a": "firing"}


MOMENT = timedelta(microseconds=1)
# For each subject, what came before and what followed it, by how long before NOW.
FOLLOWED: dict[str, tuple[list[timedelta], list[timedelta]]] = {
    "first instant of the window": ([HOUR], []),
    "just within the window": ([HOUR - MOMENT], []),
    "first instant with patience": ([HOUR + 10 * MINUTE], []),
    "just within it with patience": ([HOUR + 10 * MINUTE - MOMENT], []),
    "with patience for a minute": ([HOUR + 9 * MINUTE], []),
    "last instant": ([timedelta()], []),
    "after the last instant": ([-MOMENT], []),
    "last instant with patience": ([10 * MINUTE], []),
    "still to come": ([10 * MINUTE - MOMENT], []),
    "at once": ([20 * MINUTE], [20 * MINUTE]),
    "in time": ([20 * MINUTE], [10 * MINUTE]),
    "just too late": ([20 * MINUTE], [10 * MINUTE - MOMENT]),
    "at the last instant": ([5 * MINUTE], [timedelta()]),
    "before it": ([20 * MINUTE], [20 * MINUTE + MOMENT]),
    "twice": ([30 * MINUTE], [29 * MINUTE, 5 * MINUTE, 40 * MINUTE]),
    "one for two": ([30 * MINUTE, 25 * MINUTE], [24 * MINUTE]),
    "one of two": ([30 * MINUTE, 12 * MINUTE], [28 * MINUTE]),
    "nothing before": ([], [5 * MINUTE]),
}


@pytest.mark.parametrize("present", [True, False])
def test_facts_are_followed_from_their_instant_for_as_long_as_the_rule_says(
    db: Connection, present: bool
) -> None:
    for place, kind in enumerate(("Fact:Placed", "Fact:Paid")):
        ingest_facts(
            db,
            [
                fact(
                    kind,
                    subject=subject,
                    ts=(NOW - age).isoformat(),
                    fact_id=f"{kind} {subject} {age}",
                )
                for subject, ages in FOLLOWED.items()
                for age in ages[place]
            ]
            + [fact(kind, ts=ago(minutes=20), fact_id=f"{kind} without a subject")],
        )
    condition = {
        "type": "fact",
        "kind": "Fact:Paid",
        "present": present,
        "within": "10m",
        "after": {"kind": "Fact:Placed"},
        "window": "1h",
        "join": "subject",
    }
    # Another rule, and another kind that nothing follows.
    define(db, {**condition, "kind": "Fact:Placed", "present": not present}, name="other")
    define(db, condition, name="asked")
    instants = [NOW - 5 * MINUTE, NOW]
    rows = db.execute(
        """
        select at, label, value, active, observations from internal.measure_conditions(
            array(
                select stated from data.alert_rule_version as stated
                inner join data.alert_rule as rule using (rule_id)
                order by rule.name
            ),
            %s, %s, '5 min'
        )
        where rule_id = (select rule_id from data.alert_rule where name = 'asked')
        """,
        instants,
    ).fetchall()

    patience = timedelta() if present else 10 * MINUTE
    wanted = {}
    for instant in instants:
        for subject, (before, after) in FOLLOWED.items():
            counted = [
                any(began <= NOW - age <= min(began + 10 * MINUTE, instant) for age in after)
                is present
                for began in (NOW - age for age in before)
                if instant - HOUR - patience < began <= instant - patience
            ]
            if counted:
                wanted[instant, subject] = (sum(counted), any(counted), len(counted))
    assert {tuple(row[:2]): tuple(row[2:]) for row in rows} == wanted
    assert len(rows) == len(wanted)


def test_a_fact_near_a_condition_on_a_metric_fires(db: Connection) -> None:
    ingest_metrics(db, [metric(value=9, source=source, ts=ago(minutes=1)) for source in "abc"])
    ingest_metrics(db, [metric(value=0, source="c", ts=ago(seconds=1))])
    ingest_facts(db, [fact("Fact:Deployed", source=source, ts=ago(minutes=8)) for source in "ac"])
    define(
        db,
        {
            "type": "fact",
            "kind": "Fact:Deployed",
            "present": True,
            "within": "10m",
            "during": above(5),
        },
    )

    evaluate(db)

    assert alerts(db) == {"a": "firing"}
    assert newest(db)["evidence"]["query"]["arguments"]["source"] == "a"


def test_facts_without_an_end_to_their_window_resolve_their_alert(db: Connection) -> None:
    ingest_facts(db, [fact("Fact:Placed", ts=ago(minutes=20)), fact("Fact:Paid", ts=ago(days=9))])
    condition = {
        "type": "fact",
        "kind": "Fact:Paid",
        "present": False,
        "within": "10m",
        "after": {"kind": "Fact:Placed"},
        "window": "1h",
        "join": "none",
    }
    define(db, condition, no_data="firing")
    evaluate(db)
    assert alerts(db) == {"": "firing"}

    evaluate(db, NOW + 2 * HOUR)

    assert alerts(db) == {}


def test_a_fact_during_a_metric_without_data_can_fire(db: Connection) -> None:
    ingest_metrics(db, [metric(value=9, ts=ago(minutes=60))])
    ingest_facts(db, [fact("Fact:Deployed", source="web", ts=ago(minutes=8))])
    condition = {
        "type": "fact",
        "kind": "Fact:Deployed",
        "present": True,
        "within": "10m",
        "during": above(5),
    }
    define(db, condition, no_data="firing")

    evaluate(db)

    assert alerts(db) == {"web": "firing"}


@pytest.mark.parametrize("status", ["up", "degraded", "down"])
def test_the_status_of_an_instant_is_that_of_just_before_it(
    watched: Connection, status: str
) -> None:
    number = server(watched, since=NOW - DAY)
    lasted(watched, number, status, NOW - timedelta(microseconds=1), NOW)

    define(watched, {"type": "health", "statuses": [status]})
    evaluate(watched)

    assert alerts(watched) == {"acme/search": "firing"}
    assert newest(watched)["evidence"]["observations"] == 1


def test_a_server_has_a_status_from_after_its_registration_to_its_end(watched: Connection) -> None:
    condition = {"type": "health", "statuses": ["unknown"]}
    ended = "update data.server set deregistered_at = %s where server_id = %s"
    for name, since, end in (
        ("new", NOW, None),
        ("there", NOW - SECOND, None),
        ("ending", NOW - DAY, NOW),
        ("gone", NOW - DAY, NOW - SECOND),
    ):
        watched.execute(ended, [end, server(watched, name, since=since)])

    assert set(readings(watched, condition)) == {"there", "ending"}


def spent(conn: Connection, *rules: int) -> set[tuple[int, str, timedelta, int]]:
    """Rule, server, window and known seconds of what is known of budgets at NOW."""
    rows = conn.execute(
        """
        select rule_id, label, length, observations from internal.spent_by_servers(
            array(select stated from data.alert_rule_version as stated where rule_id = any(%s)),
            %s, %s, '1 min'
        )
        """,
        [list(rules), NOW, NOW],
    )
    return set(rows.fetchall())


def test_a_server_has_a_budget_from_after_its_registration_to_its_end(watched: Connection) -> None:
    ended = "update data.server set deregistered_at = %s where server_id = %s"
    for name, since, end in (
        ("new", NOW, None),
        ("there", NOW - SECOND, None),
        ("ending", NOW - DAY, NOW),
        ("gone", NOW - DAY, NOW - SECOND),
    ):
        watched.execute(ended, [end, server(watched, name, since=since)])

    rule = define(watched, {"type": "burn_rate"})
    assert {label for _, label, *_ in spent(watched, rule)} == {"there", "ending"}


def test_a_budget_is_known_at_no_instant_until_after_the_registration(
    watched: Connection,
) -> None:
    server(watched, since=NOW - MINUTE)
    rule = define(watched, {"type": "burn_rate"})

    times = ask(
        watched,
        """
        select array_agg(distinct at) from internal.spent_by_servers(
            array(select stated from data.alert_rule_version as stated where rule_id = %s),
            %s, %s, '1 min'
        )
        """,
        rule,
        NOW - 2 * MINUTE,
        NOW,
    )
    assert times == [NOW]


def test_each_rule_has_its_own_servers_and_windows(watched: Connection) -> None:
    for name in ("prod", "test"):
        number = server(watched, name, since=NOW - DAY, tags=[name])
        lasted(watched, number, "up", NOW - DAY, NOW + HOUR)
    short, long = (
        define(
            watched,
            {
                "type": "burn_rate",
                "tags": [tag],
                "pairs": [{"factor": 2, "short": first, "long": last}],
            },
            name=tag,
        )
        for tag, first, last in (("prod", "5m", "1h"), ("test", "30m", "6h"))
    )

    assert spent(watched, short, long) == {
        (short, "prod", 5 * MINUTE, 300),
        (short, "prod", HOUR, 3600),
        (long, "test", 30 * MINUTE, 1800),
        (long, "test", 6 * HOUR, 6 * 3600),
    }
