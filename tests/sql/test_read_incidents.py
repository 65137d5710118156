"""Incidents of a back-test: those that are sent, and those that are facts of a kind."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from psycopg import Connection
from psycopg.types.json import Jsonb

from tests.sql.calls import NOW, Json, ago, ask, fact, ingest_facts, refused

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
KIND = "Fact:Incident"


def read(conn: Connection, incidents: list[Any] | None, kind: str | None = None) -> Json:
    """The incidents that touch the hour before NOW, and how many others there are."""
    sent = None if incidents is None else Jsonb(incidents)
    statement = "select internal.read_incidents(%s, %s, %s, %s)"
    found: Json = ask(conn, statement, sent, kind, NOW - HOUR, NOW)
    return found


def inside(conn: Connection, kind: str) -> list[tuple[timedelta, timedelta]]:
    """When the incidents of a kind begin, before NOW, and how long they last."""
    spans = [
        (datetime.fromisoformat(each["from"]), datetime.fromisoformat(each["to"]))
        for each in read(conn, None, kind)["inside"]
    ]
    return [(NOW - begin, end - begin) for begin, end in spans]


def incident(begin: timedelta, end: timedelta) -> Json:
    return {"from": (NOW + begin).isoformat(), "to": (NOW + end).isoformat()}


def test_incidents_that_touch_the_range_are_inside_in_their_order(db: Connection) -> None:
    within = [
        incident(-SECOND, HOUR),
        incident(-2 * HOUR, -HOUR),
        incident(-3 * HOUR, HOUR),
        incident(-MINUTE, -MINUTE),
    ]
    outside = [incident(0 * HOUR, HOUR), incident(-2 * HOUR, -HOUR - SECOND)]

    assert read(db, [outside[0], *within, outside[1]]) == {"inside": within, "outside": 2}
    assert read(db, outside) == {"inside": [], "outside": 2}
    assert read(db, []) == {"inside": [], "outside": 0}


def test_facts_last_for_their_duration_of_31_years_at_most(db: Connection) -> None:
    durations: dict[int, object] = {10: 90, 50: 0.5, 30: -5, 20: "60", 40: 1e300, 15: None}
    ingest_facts(
        db,
        [
            fact(KIND, ts=ago(minutes=minutes), payload={"duration_seconds": seconds})
            for minutes, seconds in durations.items()
        ],
    )
    ingest_facts(db, [fact("Fact:Other", ts=ago(minutes=5)), fact(KIND, ts=ago(minutes=5))])

    assert inside(db, KIND) == [
        (50 * MINUTE, 0.5 * SECOND),
        (40 * MINUTE, 1e9 * SECOND),
        (30 * MINUTE, 0 * SECOND),
        (20 * MINUTE, 0 * SECOND),
        (15 * MINUTE, 0 * SECOND),
        (10 * MINUTE, 90 * SECOND),
        (5 * MINUTE, 0 * SECOND),
    ]


def test_a_kind_without_facts_adds_nothing_to_what_is_sent(db: Connection) -> None:
    ingest_facts(db, fact(KIND, ts=ago(minutes=5)))
    db.execute("delete from data.fact")
    sent = [incident(-2 * MINUTE, -MINUTE)]

    assert read(db, sent, KIND) == {"inside": sent, "outside": 0}
    assert read(db, None, KIND) == {"inside": [], "outside": 0}


def test_without_any_nothing_is_known(db: Connection) -> None:
    assert read(db, None) is None


@pytest.mark.parametrize(
    ("sent", "slug"),
    [
        (incident(-MINUTE, -2 * MINUTE), "from_before_to"),
        ({"from": ago(minutes=2), "to": "2025-02-31T00:00:00Z"}, "field_well_formed"),
        ({"from": "2025-02-31T00:00:00Z", "to": ago(minutes=2)}, "field_well_formed"),
    ],
)
def test_the_first_incident_may_be_the_one_that_cannot_be(
    db: Connection, sent: Json, slug: str
) -> None:
    with refused(db, "document_refused") as refusal:
        read(db, [sent, incident(-2 * MINUTE, -MINUTE)])

    faults = [(fault["field"], fault["slug"]) for fault in refusal.params["faults"]]
    assert faults == [("incidents[0].to", slug)]
