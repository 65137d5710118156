"""History of alerts: every change of state, newest first."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from psycopg import Connection
from psycopg.types.json import Jsonb

from tests.sql.calls import NOW, Json, ask, refused
from tests.sql.raised_alerts import EVIDENCE, add_transition, after, raise_alert, written


def list_alert_history(db: Connection, now: datetime = NOW, **filters: Any) -> Json:
    names = ("rule", "id", "labels", "from_", "to", "limit", "cursor")
    assert set(filters) <= set(names)
    if "labels" in filters:
        filters["labels"] = Jsonb(filters["labels"])
    statement = "select api.list_alert_history(%s, %s, %s, %s, %s, %s, %s, %s)"
    answer: Json = ask(db, statement, *(filters.get(name) for name in names), now)
    return answer


def ids(db: Connection, **filters: Any) -> list[str]:
    return [item["id"] for item in list_alert_history(db, **filters)["items"]]


def test_a_transition_is_listed_with_its_evidence(db: Connection) -> None:
    alert = raise_alert(db, source="web")
    add_transition(db, alert, late=True)

    assert list_alert_history(db) == {
        "items": [
            {
                "id": alert,
                "rule": "queue_long",
                "version": 1,
                "severity": "warning",
                "at": written(NOW),
                "from_state": "pending",
                "to_state": "firing",
                "late": True,
                "value": 12.5,
                "labels": {"alertname": "queue_long", "severity": "warning", "source": "web"},
                "annotations": {"summary": "queue_long is active"},
                "evidence": EVIDENCE,
            }
        ],
        "next_cursor": None,
        "hint": None,
    }


def test_pages_list_every_transition_once_the_newest_first(db: Connection) -> None:
    alert = raise_alert(db)
    for days in (400, 400, 3, 2, 2, 2, 1):
        add_transition(db, alert, at=after(days=-days))

    listed: list[str] = []
    cursor = None
    for _ in range(9):
        page = list_alert_history(db, limit=2, cursor=cursor)
        listed += [item["at"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert listed == [written(after(days=-days)) for days in (1, 2, 2, 2, 3, 400, 400)]


def test_a_page_has_100_transitions_by_default(db: Connection) -> None:
    alert = raise_alert(db)
    for minutes in range(101):
        add_transition(db, alert, at=after(minutes=-minutes))

    assert len(list_alert_history(db)["items"]) == 100


def test_a_page_that_is_full_can_be_the_last(db: Connection) -> None:
    alert = raise_alert(db)
    for minutes in range(2):
        add_transition(db, alert, at=after(minutes=-minutes))

    page = list_alert_history(db, limit=2)
    assert (len(page["items"]), page["next_cursor"]) == (2, None)


def test_a_page_after_another_ends_before_the_end_of_its_own_range(db: Connection) -> None:
    alert = raise_alert(db)
    for hours in range(3):
        add_transition(db, alert, at=after(hours=-hours))
    cursor = list_alert_history(db, limit=1)["next_cursor"]

    (item,) = list_alert_history(db, cursor=cursor, to=after(hours=-1))["items"]
    assert item["at"] == written(after(hours=-2))


def test_history_ends_an_hour_ahead_of_the_clock_by_default(db: Connection) -> None:
    alert = raise_alert(db)
    for minutes in (59, 60):
        add_transition(db, alert, at=after(minutes=minutes))

    (item,) = list_alert_history(db)["items"]
    assert item["at"] == written(after(minutes=59))


def test_history_is_filtered(db: Connection) -> None:
    down = raise_alert(db, "down", "critical", server="acme/search")
    slow = raise_alert(db, "slow", "warning", source="web", region="eu")
    other = raise_alert(db, "slow", "info", source="db", region="us")
    for hours, alert in enumerate((down, slow, other)):
        add_transition(db, alert, at=after(hours=-hours))

    assert ids(db, rule="slow") == [slow, other]
    assert ids(db, id=down) == [down]
    assert ids(db, labels={"region": "us"}) == [other]
    assert ids(db, from_=after(hours=-1)) == [down, slow]
    assert ids(db, to=after(hours=-1)) == [other]


def test_a_label_that_nothing_has_is_answered_with_those_there_are(db: Connection) -> None:
    raise_alert(db, region="eu")

    answer = list_alert_history(db, labels={"regoin": "eu"})
    assert answer["items"] == []
    assert answer["hint"].endswith(
        'Did you mean "region"? The labels are alertname, region, severity.'
    )
    assert list_alert_history(db, labels={"region": "eu"})["hint"] is None


def test_the_history_of_a_deleted_rule_stays(db: Connection) -> None:
    alert = raise_alert(db)
    add_transition(db, alert)
    db.execute("update data.alert_rule set deleted_at = %s, deleted_by = 'ann'", [NOW])
    db.execute("delete from data.alert")

    assert ids(db, rule="queue_long") == [alert]


@pytest.mark.parametrize(
    ("asked", "slug", "field"),
    [
        ({"rule": "queue_lng"}, "alert_rule_unknown", "rule"),
        ({"from_": NOW, "to": NOW}, "from_before_to", "from"),
        ({"limit": 0}, "limit_in_range", "limit"),
        ({"limit": 1001}, "limit_in_range", "limit"),
        ({"cursor": "x"}, "cursor_invalid", "cursor"),
    ],
)
def test_a_filter_that_cannot_be_is_refused(
    db: Connection, asked: dict[str, Any], slug: str, field: str
) -> None:
    with refused(db, slug) as refusal:
        list_alert_history(db, **asked)

    assert refusal.column == field


def test_analysts_see_the_history(db: Connection) -> None:
    alert = raise_alert(db, source="web")
    add_transition(db, alert)
    db.execute("set local role supervisor_analyst")
    row = db.execute(
        "select id, rule, severity, source, from_state, to_state, late from analytics.alert_history"
    ).fetchall()

    assert row == [(alert, "queue_long", "warning", "web", "pending", "firing", False)]
