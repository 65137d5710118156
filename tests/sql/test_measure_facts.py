"""What a rule about facts sees: those that follow another, or come during a condition."""

from __future__ import annotations

from datetime import timedelta

import pytest
from psycopg import Connection

from tests.sql.alerts import above, alerts, define, evaluate, newest
from tests.sql.calls import NOW, ago, fact, ingest_facts, ingest_metrics, metric

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


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
