"""A back-test says what a rule would have done, and stores nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import Connection
from psycopg.types.json import Jsonb

from tests.sql.alerts import above, define, evaluate
from tests.sql.calls import NOW, Json, ago, ask, fact, ingest_facts, ingest_metrics, metric, refused

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def backtest(
    conn: Connection,
    rule: Json | None,
    *,
    name: str | None = None,
    since: datetime | None = NOW - HOUR,
    until: datetime | None = NOW,
    step: str | None = "1m",
    incidents: list[Json] | None = None,
    incident_kind: str | None = None,
    points: int | None = None,
) -> Json:
    """The answer to a back-test."""
    answer: Json = ask(
        conn,
        "select api.backtest_alert_rule(%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        None if rule is None else Jsonb(rule),
        name,
        since,
        until,
        step,
        None if incidents is None else Jsonb(incidents),
        incident_kind,
        points,
        NOW,
    )
    return answer


def suggest(conn: Connection, condition: object, per_month: int | None, **times: Any) -> Json:
    """The answer to a suggestion."""
    answer: Json = ask(
        conn,
        "select api.suggest_threshold(%s, %s, %s, %s, %s, %s)",
        Jsonb(condition),
        per_month,
        times.get("since", NOW - HOUR),
        times.get("until", NOW),
        times.get("step", "1m"),
        NOW,
    )
    return answer


def seen(answer: Json) -> list[tuple[str, str]]:
    """When an alert went into which state."""
    return [(row["at"][11:16], row["to_state"]) for row in answer["transitions"]]


@pytest.fixture
def busy(db: Connection) -> Connection:
    """Minutes 40 to 31 ago and 10 to 1 ago have high values."""
    ingest_metrics(
        db,
        [
            metric(value=9 if n % 30 <= 10 and n % 30 else 1, ts=ago(minutes=n))
            for n in range(1, 60)
        ],
    )
    return db


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


def test_the_series_can_be_drawn_with_its_threshold(busy: Connection) -> None:
    rule = {"name": "high", "condition": above(5, window="1m", statistic="max")}

    series = backtest(busy, rule, points=6)["series"]

    assert series["labels"] == {"alertname": "high", "severity": "warning"}
    assert (series["operator"], series["threshold"]) == (">", 5)
    # Ten minutes each, of which the largest value counts.
    assert [(at[11:16], value) for at, value in series["points"]] == [
        *(("11:34", 1), ("11:44", 1), ("11:54", 9), ("12:04", 1), ("12:14", 1), ("12:24", 9)),
    ]
    assert backtest(busy, rule)["series"] is None


def test_the_series_of_a_rule_that_never_fires_is_the_nearest_to_the_threshold(
    db: Connection,
) -> None:
    for source, value in (("a", 3), ("b", 1), ("c", 2)):
        ingest_metrics(
            db, [metric(source=source, value=value + n % 2, ts=ago(minutes=n)) for n in range(62)]
        )
    condition = above(9, window="1m", statistic="max", group_by="source")
    below = {**condition, "operator": "<", "threshold": -1}

    drawn = backtest(db, {"condition": condition}, points=1000)["series"]
    assert (drawn["labels"]["source"], len(drawn["points"])) == ("a", 60)
    drawn = backtest(db, {"condition": condition}, points=1000, since=NOW - 2 * HOUR)["series"]
    assert [value is None for _, value in drawn["points"]].count(True) == pytest.approx(60, abs=2)
    assert datetime.fromisoformat(drawn["points"][0][0]) == NOW - 2 * HOUR
    drawn = backtest(db, {"condition": below}, points=2)["series"]
    assert drawn["labels"]["source"] == "b"
    assert [value for _, value in drawn["points"]] == [1, 1]


def test_of_series_that_come_equally_near_the_first_is_drawn(db: Connection) -> None:
    for source, values in (("d", (5, 5)), ("c", (8, 0)), ("b", (8, 0)), ("a", (None, 7))):
        ingest_metrics(
            db,
            [
                metric(source=source, value=value, ts=ago(minutes=minutes))
                for minutes, value in zip((40, 0), values, strict=True)
                if value is not None
            ],
        )
    condition = above(9, window="1m", statistic="max", group_by="source")

    drawn = backtest(db, {"condition": condition}, points=4)["series"]

    assert drawn["labels"]["source"] == "b"
    # What is measured at the end belongs to the last point.
    assert [value for _, value in drawn["points"]] == [None, 8, None, 0]


def test_a_series_without_any_value_comes_after_those_with_one(db: Connection) -> None:
    ingest_metrics(db, [metric(source="b", value=5, ts=ago(minutes=1))])
    ingest_metrics(db, [metric(source="a", value=5, ts=ago(days=1))])
    condition = above(9, window="1m", statistic="max", group_by="source")

    drawn = backtest(db, {"condition": condition, "for": "1d", "no_data": "firing"}, points=1)

    assert drawn["series"]["labels"]["source"] == "a"


def test_a_series_has_at_most_1000_points(busy: Connection) -> None:
    assert len(backtest(busy, {"condition": above(5)}, points=1)["series"]["points"]) == 1
    for points in (0, 1001):
        with refused(busy, "points_in_range") as problem:
            backtest(busy, {"condition": above(5)}, points=points)
        assert problem.column == "points"


def test_a_rule_that_is_defined_is_tested_by_its_name(busy: Connection) -> None:
    define(busy, above(5, window="1m", statistic="max"))

    answer = backtest(busy, None, name="cpu_high")

    assert answer["alerts"] == 2
    assert answer["transitions"][0]["labels"]["alertname"] == "cpu_high"


def test_incidents_give_precision_recall_and_lead(busy: Connection) -> None:
    incidents = [
        {"from": ago(minutes=38), "to": ago(minutes=30)},
        {"from": ago(minutes=25), "to": ago(minutes=20)},
    ]

    score = backtest(
        busy, {"condition": above(5, window="1m", statistic="max")}, incidents=incidents
    )["incidents"]

    assert (score["count"], score["detected"], score["false_alarms"]) == (2, 1, 1)
    assert (score["recall"], score["precision"]) == (0.5, 0.5)
    assert score["items"][0]["lead_seconds"] == pytest.approx(2 * 60, abs=60)
    assert score["items"][1]["alerted_at"] is None


def test_incidents_are_listed_by_their_start_with_their_first_alert(busy: Connection) -> None:
    spans = [(25, 20), (50, 5), (50, 30)]
    incidents = [{"from": ago(minutes=a), "to": ago(minutes=b)} for a, b in spans]

    score = backtest(
        busy, {"condition": above(5, window="1m", statistic="max")}, incidents=incidents
    )["incidents"]

    # Alerts fire from 40 to 30 and from 10 minutes ago on.
    assert [(item["to"][11:16], (item["alerted_at"] or "")[11:16]) for item in score["items"]] == [
        ("12:04", "11:54"),
        ("12:29", "11:54"),
        ("12:14", ""),
    ]


def test_without_any_incident_every_alert_is_false(busy: Connection) -> None:
    score = backtest(busy, {"condition": above(5, window="1m", statistic="max")}, incidents=[])[
        "incidents"
    ]

    assert (score["items"], score["count"], score["false_alarms"]) == ([], 0, 2)
    assert (score["precision"], score["recall"]) == (0, None)


def test_incidents_can_be_facts(busy: Connection) -> None:
    ingest_facts(
        busy,
        [fact("Fact:Incident", ts=ago(minutes=38), payload={"duration_seconds": 480})],
    )

    score = backtest(
        busy,
        {"condition": above(5, window="1m", statistic="max")},
        incident_kind="Fact:Incident",
    )["incidents"]

    assert (score["count"], score["detected"], score["recall"]) == (1, 1, 1)


def test_incidents_outside_of_the_range_are_counted(busy: Connection) -> None:
    ingest_facts(busy, [fact("Fact:Incident", ts=ago(minutes=n)) for n in (38, 90, 95)])

    answer = backtest(
        busy,
        {"condition": above(5, window="1m", statistic="max")},
        incidents=[
            {"from": ago(minutes=25), "to": ago(minutes=20)},
            {"from": ago(days=3), "to": ago(days=2)},
        ],
        incident_kind="Fact:Incident",
    )

    assert answer["incidents"]["count"] == 2
    assert answer["incidents_outside"] == 3


def test_without_incidents_none_are_outside(busy: Connection) -> None:
    assert backtest(busy, {"condition": above(5)})["incidents_outside"] is None


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


def test_a_threshold_gives_the_wanted_number_of_alerts(db: Connection) -> None:
    """Peaks of 2, 4, 6, 8 and 10, in two hours of a month of 720."""
    ingest_metrics(db, [metric(value=peak, ts=ago(minutes=10 * peak)) for peak in (2, 4, 6, 8, 10)])
    ingest_metrics(db, [metric(value=0, ts=ago(minutes=n)) for n in range(1, 120, 2)])

    answer = suggest(db, above(0, statistic="max", window="1m"), 2 * 360, since=NOW - 2 * HOUR)

    assert answer["threshold"] == 6
    assert answer["alerts"] == 2
    rule = {"condition": above(answer["threshold"], statistic="max", window="1m")}
    assert backtest(db, rule, since=NOW - 2 * HOUR)["alerts"] == 2


@pytest.mark.parametrize("operator", [">", ">=", "<", "<="])
def test_a_suggested_threshold_gives_what_it_says(db: Connection, operator: str) -> None:
    values = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8, 4]
    ingest_metrics(db, [metric(value=v, ts=ago(minutes=n)) for n, v in enumerate(values, 1)])
    condition = above(0, statistic="max", window="1m", operator=operator)

    for per_month in (0, 720, 2160, 3600):
        found = suggest(db, condition, per_month)
        rule = {"condition": {**condition, "threshold": found["threshold"]}}
        assert backtest(db, rule)["alerts"] == found["alerts"] <= per_month / 720


def test_incidents_that_cannot_be_are_refused_by_field(busy: Connection) -> None:
    rule = {"condition": above(5)}
    incidents = [
        {"from": ago(minutes=2), "to": ago(minutes=1)},
        {"from": ago(minutes=1), "to": ago(minutes=2)},
        {"from": "2025-02-31T00:00:00Z", "to": ago(minutes=2)},
    ]

    with refused(busy, "document_refused") as problem:
        backtest(busy, rule, incidents=incidents)

    fields = [fault["field"] for fault in problem.params["faults"]]
    assert fields == ["incidents[1].to", "incidents[2].to"]


def test_a_fact_with_an_impossible_duration_is_an_incident_without_one(busy: Connection) -> None:
    ingest_facts(
        busy,
        [
            fact("Fact:Incident", ts=ago(minutes=n), payload={"duration_seconds": seconds})
            for n, seconds in ((20, -5), (25, 1e300))
        ],
    )

    score = backtest(busy, {"condition": above(5)}, incident_kind="Fact:Incident")["incidents"]

    assert score["count"] == 2


def test_a_threshold_can_be_a_lower_bound(db: Connection) -> None:
    ingest_metrics(db, [metric(value=9, ts=ago(minutes=n)) for n in range(1, 60)])
    ingest_metrics(db, [metric(value=-n, ts=ago(minutes=10 * n, seconds=1)) for n in (1, 2, 3)])

    answer = suggest(db, above(0, statistic="min", window="1m", operator="<"), 720)

    assert answer["threshold"] == -2
    assert answer["alerts"] == 1


@pytest.mark.parametrize(
    ("operator", "top", "threshold"),
    [(">", 9, 9), (">=", 9, 9 + 9e-9), ("<=", -0.5, -0.5 - 1e-9), (">=", 0.5, 0.5 + 1e-9)],
)
def test_a_threshold_that_gives_no_alert_is_just_beyond_all_values(
    db: Connection, operator: str, top: float, threshold: float
) -> None:
    values = (top, top / 2, 0)
    ingest_metrics(db, [metric(value=v, ts=ago(minutes=n)) for n, v in enumerate(values, 1)])

    answer = suggest(db, above(0, statistic="max", window="1m", operator=operator), 0)

    assert answer["threshold"] == pytest.approx(threshold, rel=1e-15)
    assert (answer["alerts"], answer["holds_percent"]) == (0, 0)


def test_a_higher_threshold_can_give_more_alerts(db: Connection) -> None:
    """Above 5 there is one long alert, above 7 two of its peaks, above 8 one."""
    values = [0, 6, 9, 6, 8, 6, 0, *[0] * 20]
    ingest_metrics(db, [metric(value=v, ts=ago(minutes=n)) for n, v in enumerate(values, 1)])

    answer = suggest(db, above(0, statistic="max", window="1m"), 1000)

    assert (answer["threshold"], answer["alerts"]) == (8, 1)


@pytest.mark.parametrize(("pause", "covered"), [(24 * 60, 100), (24 * 60 + 1, 0.07)])
def test_a_pause_of_a_day_is_the_longest_that_is_time_with_data(
    db: Connection, pause: int, covered: float
) -> None:
    ingest_metrics(db, [metric(value=n, ts=ago(minutes=n * pause)) for n in range(3)])
    since = NOW - timedelta(minutes=2 * pause)

    answer = suggest(db, above(0, statistic="max", window="1m"), 1, since=since)

    assert answer["coverage_percent"] == pytest.approx(covered, rel=0.01)


def test_a_threshold_is_suggested_by_the_last_thirty_days_by_default(db: Connection) -> None:
    ingest_metrics(db, [metric()])

    answer = suggest(db, above(0), 1, since=None, until=None, step=None)

    assert answer["from"] == "2025-05-16T12:34:56.789+00:00"
    assert answer["to"] == "2025-06-15T12:34:56.789+00:00"


@pytest.mark.parametrize(("operator", "threshold"), [(">", 5), (">=", 6), ("<", 6), ("<=", 5)])
def test_a_suggested_condition_holds_at_most_half_of_the_time(
    db: Connection, operator: str, threshold: int
) -> None:
    ingest_metrics(db, [metric(value=n, ts=ago(minutes=n)) for n in range(1, 11)])
    condition = above(0, statistic="max", window="1m", operator=operator)

    answer = suggest(db, condition, 100_000)

    assert answer["threshold"] == threshold
    assert answer["holds_percent"] == 50


def test_a_suggestion_says_how_much_of_the_time_its_condition_holds(db: Connection) -> None:
    ingest_metrics(db, [metric(value=9 if n < 10 else 1, ts=ago(minutes=n)) for n in range(1, 61)])

    answer = suggest(db, above(0, statistic="max", window="1m"), 720)

    assert (answer["threshold"], answer["alerts"]) == (1, 1)
    assert (answer["per_month"], answer["coverage_percent"]) == (720, 100)
    assert answer["holds_percent"] == pytest.approx(100 * 9 / 60)


def test_a_minute_without_data_ends_an_alert(db: Connection) -> None:
    ingest_metrics(
        db,
        [metric(value=9 if n < 6 else 1, ts=ago(minutes=n)) for n in range(1, 61) if n != 3],
    )
    condition = above(1, statistic="max", window="1m")

    answer = suggest(db, condition, 2 * 720)

    assert (answer["threshold"], answer["alerts"]) == (1, 2)
    assert backtest(db, {"condition": condition})["alerts"] == 2
    assert suggest(db, condition, 720)["threshold"] == 9


def test_alerts_a_month_count_the_time_with_data_only(db: Connection) -> None:
    """Two peaks in an hour, three days after another hour; before and between nothing is known."""
    for start in (0, 3 * 24 * 60):
        ingest_metrics(
            db,
            [
                metric(value=9 if n in (10, 20) else 1, ts=ago(minutes=start + n))
                for n in range(1, 61)
            ],
        )

    answer = suggest(
        db, above(0, statistic="max", window="1m"), 1500, since=NOW - timedelta(days=10)
    )

    assert answer["coverage_percent"] == pytest.approx(100 * 2 / 240, rel=0.05)
    assert (answer["threshold"], answer["alerts"]) == (1, 4)
    assert answer["per_month"] == pytest.approx(1440, rel=0.05)


def test_rare_data_is_no_time_without_data(db: Connection) -> None:
    ingest_metrics(db, [metric(value=9, ts=ago(hours=6 * n)) for n in range(40)])

    answer = suggest(
        db, above(0, statistic="max", window="1m"), 720, since=NOW - timedelta(days=10)
    )

    assert answer["coverage_percent"] == 100


def test_without_history_there_is_no_threshold(db: Connection) -> None:
    ingest_metrics(db, [metric(value=9, ts=ago(days=2))])

    answer = suggest(db, above(0), 1)

    assert (answer["threshold"], answer["alerts"]) == (None, 0)
    assert (answer["coverage_percent"], answer["holds_percent"]) == (0, None)


@pytest.mark.parametrize(("window", "seconds"), [("2m", 300), ("12h", 3600)])
def test_a_back_test_and_a_suggestion_have_the_same_default_step(
    busy: Connection, window: str, seconds: int
) -> None:
    condition = above(5, window=window)

    tested = backtest(busy, {"condition": condition}, since=None, step=None)
    suggested = suggest(busy, condition, 2, since=None, step=None)

    assert tested["step_seconds"] == suggested["step_seconds"] == seconds


DAY = 24 * HOUR


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


@pytest.mark.parametrize(
    ("slug", "condition", "per_month"),
    [
        ("per_month_in_range", above(1), -1),
        ("per_month_in_range", above(1), 100_001),
        ("per_month_in_range", above(1), None),
        ("document_refused", [], 1),
        ("document_refused", 5, 1),
        ("threshold_suggested", above(1, operator="=="), 1),
        ("threshold_suggested", {"type": "keepalive"}, 1),
        ("threshold_suggested", {"kind": "cpu", "statistic": "absent", "window": "1h"}, 1),
        ("document_refused", above(1, kind="none"), 1),
    ],
)
def test_a_bad_suggestion_is_refused(
    busy: Connection, slug: str, condition: object, per_month: int | None
) -> None:
    with refused(busy, slug):
        suggest(busy, condition, per_month)
