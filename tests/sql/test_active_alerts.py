"""Active alerts: listed with what suppresses them, and acknowledged."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from psycopg import Connection
from psycopg.types.json import Jsonb

from tests.sql.alerts import above, define
from tests.sql.calls import NOW, Json, ask, ingest_metrics, metric, refused
from tests.sql.histories import add_server
from tests.sql.raised_alerts import EVIDENCE, add_silence, after, matcher, raise_alert, written


def list_active_alerts(db: Connection, now: datetime = NOW, **filters: Any) -> Json:
    names = ("state", "rule", "id", "server", "labels", "suppressed", "limit", "cursor")
    assert set(filters) <= set(names)
    if "labels" in filters:
        filters["labels"] = Jsonb(filters["labels"])
    statement = "select api.list_active_alerts(%s, %s, %s, %s, %s, %s, %s, %s, %s)"
    answer: Json = ask(db, statement, *(filters.get(name) for name in names), now)
    return answer


def ids(db: Connection, **filters: Any) -> list[str]:
    return [item["id"] for item in list_active_alerts(db, **filters)["items"]]


def ack(
    db: Connection,
    id_: str,
    author: str | None = "ann",
    until: datetime | None = None,
    note: str | None = None,
    now: datetime = NOW,
) -> Json:
    answer: Json = ask(
        db, "select api.ack_alert(%s, %s, %s, %s, %s)", id_, author, until, note, now
    )
    return answer


def test_an_alert_is_listed_with_its_evidence(db: Connection) -> None:
    alert = raise_alert(db, source="web")

    assert list_active_alerts(db) == {
        "items": [
            {
                "id": alert,
                "rule": "queue_long",
                "version": 1,
                "severity": "warning",
                "state": "firing",
                "labels": {"alertname": "queue_long", "severity": "warning", "source": "web"},
                "annotations": {"summary": "queue_long is active"},
                "value": 12.5,
                "active_at": written(after(hours=-1)),
                "fired_at": written(after(hours=-1)),
                "recovering_at": None,
                "ack": None,
                "suppressed": False,
                "silenced_by": [],
                "inhibited_by": [],
                "maintenance": [],
                "evidence": EVIDENCE,
            }
        ],
        "next_cursor": None,
        "hint": None,
    }


def test_alerts_are_listed_by_severity_and_then_the_longest_first(db: Connection) -> None:
    info = raise_alert(db, "a", "info")
    warning = raise_alert(db, "b", "warning")
    newer = raise_alert(db, "c", "critical", since=after(minutes=-5))
    older = raise_alert(db, "d", "critical", since=after(minutes=-6))

    assert ids(db) == [older, newer, warning, info]
    first = list_active_alerts(db, limit=3)
    assert [item["id"] for item in first["items"]] == [older, newer, warning]
    assert ids(db, limit=3, cursor=first["next_cursor"]) == [info]


def test_pages_list_every_alert_once(db: Connection) -> None:
    listed = [raise_alert(db, source=source) for source in "abc"]
    # Of no severity that is known.
    last = [raise_alert(db, severity="page", source=source) for source in "ab"]

    found: list[str] = []
    cursor = None
    for _ in range(9):
        page = list_active_alerts(db, limit=1, cursor=cursor)
        found += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == sorted(listed) + sorted(last)


def test_a_page_lists_100_alerts_by_default(db: Connection) -> None:
    for number in range(101):
        raise_alert(db, source=f"{number}")

    assert len(list_active_alerts(db)["items"]) == 100
    db.execute("delete from data.alert where label = '7'")
    assert list_active_alerts(db)["next_cursor"] is None


def test_a_refusal_quotes_the_first_100_characters_of_a_state(db: Connection) -> None:
    with refused(db, "alert_state_known") as refusal:
        list_active_alerts(db, state="x" * 300)
    assert refusal.message == f'unknown state "{"x" * 100}"'


def test_alerts_are_filtered(db: Connection) -> None:
    add_server(db, "acme/search")
    db.execute("update data.server set source = 'web'")
    down = raise_alert(db, "down", "critical", server="acme/search")
    slow = raise_alert(db, "slow", "warning", state="pending", source="web", region="eu")
    other = raise_alert(db, "slow", "info", source="db", region="us")

    assert ids(db, state="pending") == [slow]
    assert ids(db, labels={"severity": "critical"}) == [down]
    assert ids(db, rule="slow") == [slow, other]
    assert ids(db, server="acme/search") == [down, slow]
    assert ids(db, labels={"region": "us", "source": "db"}) == [other]
    assert ids(db, labels={"region": "us"}, rule="down") == []
    assert ids(db, id=slow) == [slow]
    assert ids(db, id=slow, rule="down") == []


def test_a_label_that_nothing_has_is_answered_with_those_there_are(db: Connection) -> None:
    raise_alert(db, "slow", region="eu", source="web")

    answer = list_active_alerts(db, labels={"regoin": "eu", "severity": "warning"})
    assert answer["items"] == []
    assert answer["hint"] == (
        'No active alert or rule has the label "regoin". Did you mean "region"?'
        " The labels are alertname, region, severity, source."
    )
    assert list_active_alerts(db, labels={"region": "us"})["hint"] is None


def test_the_labels_of_rules_without_alerts_are_known(db: Connection) -> None:
    ingest_metrics(db, [metric()])
    define(db, above(1, group_by="label.zone"), labels={"team": "shop"})

    assert list_active_alerts(db, labels={"team": "x", "zone": "y"})["hint"] is None
    db.execute("update data.alert_rule_version set valid = tstzrange(lower(valid), %s)", [NOW])
    hint = list_active_alerts(db, labels={"team": "x"})["hint"]
    assert hint.startswith('No active alert or rule has the label "team".')


def test_suppressed_alerts_are_kept_apart(db: Connection) -> None:
    critical = raise_alert(db, "down", "critical", source="web")
    warning = raise_alert(db, "slow", "warning", source="web")
    add_silence(db, "a", matcher("alertname", "=", "slow"))

    (suppressed,) = list_active_alerts(db, suppressed=True)["items"]
    assert (suppressed["id"], suppressed["suppressed"]) == (warning, True)
    assert (suppressed["silenced_by"], suppressed["inhibited_by"]) == (["a"], [critical])
    assert ids(db, suppressed=False) == [critical]


@pytest.mark.parametrize(
    ("asked", "slug", "field"),
    [
        ({"state": "resolved"}, "alert_state_known", "state"),
        ({"rule": "queue_lng"}, "alert_rule_unknown", "rule"),
        ({"server": "acme/serach"}, "server_unknown", "server"),
        ({"limit": 1001}, "limit_in_range", "limit"),
        ({"cursor": "x"}, "cursor_invalid", "cursor"),
    ],
)
def test_a_filter_that_cannot_be_is_refused(
    db: Connection, asked: dict[str, Any], slug: str, field: str
) -> None:
    add_server(db, "acme/search")
    raise_alert(db)
    with refused(db, slug) as refusal:
        list_active_alerts(db, **asked)

    assert refusal.column == field
    assert refusal.hint.endswith(".")
    if slug.endswith("unknown"):
        assert refusal.params["nearest"] in ("queue_long", "acme/search")


def test_an_alert_is_acknowledged(db: Connection) -> None:
    alert = raise_alert(db)
    held = {
        "author": "ann",
        "at": written(NOW),
        "until": written(after(hours=1)),
        "note": "restarting",
    }

    assert ack(db, alert, until=after(hours=1), note="restarting") == {
        "id": alert,
        "rule": "queue_long",
        "state": "firing",
        "ack": held,
    }
    assert list_active_alerts(db)["items"][0]["ack"] == held


def test_an_acknowledgement_ends_at_its_time(db: Connection) -> None:
    ack(db, raise_alert(db), until=after(hours=1))

    assert list_active_alerts(db, after(minutes=59))["items"][0]["ack"]["author"] == "ann"
    assert list_active_alerts(db, after(minutes=60))["items"][0]["ack"] is None


def test_an_acknowledgement_without_an_end_is_replaced_by_the_next(db: Connection) -> None:
    alert = raise_alert(db, state="pending")
    ack(db, alert, note="looking")
    ack(db, alert, "bob", now=after(hours=1))

    assert list_active_alerts(db, after(days=9))["items"][0]["ack"] == {
        "author": "bob",
        "at": written(after(hours=1)),
        "until": None,
        "note": None,
    }


@pytest.mark.parametrize(
    ("asked", "slug"),
    [
        ({"id_": "0123456789abcdef"}, "alert_unknown"),
        ({"author": None}, "author_well_formed"),
        ({"until": NOW}, "until_in_future"),
        ({"note": ""}, "note_in_range"),
        ({"note": "x" * 1001}, "note_in_range"),
    ],
)
def test_an_acknowledgement_that_means_nothing_is_refused(
    db: Connection, asked: dict[str, Any], slug: str
) -> None:
    alert = raise_alert(db)
    with refused(db, slug) as refusal:
        ack(db, **{"id_": alert, **asked})

    assert refusal.column == next(iter(asked)).rstrip("_")
    assert refusal.hint.endswith(".")


@pytest.mark.parametrize("note", ["x", "x" * 1000])
def test_a_note_has_1_to_1000_characters(db: Connection, note: str) -> None:
    assert ack(db, raise_alert(db), note=note)["ack"]["note"] == note


def test_a_refusal_quotes_the_first_100_characters_of_an_alert(db: Connection) -> None:
    with refused(db, "alert_unknown") as refusal:
        ack(db, "x" * 300)
    assert refusal.message == f'no active alert "{"x" * 100}"'


def test_one_of_several_alerts_of_a_rule_is_acknowledged(db: Connection) -> None:
    first, second = raise_alert(db, source="a"), raise_alert(db, source="b")
    raise_alert(db, "other")

    assert ack(db, second)["id"] == second
    acked = [item["id"] for item in list_active_alerts(db)["items"] if item["ack"]]
    assert (first in ids(db), acked) == (True, [second])


def test_analysts_see_active_alerts(db: Connection) -> None:
    alert = raise_alert(db, source="web")
    ack(db, alert)
    db.execute("set local role supervisor_analyst")
    row = db.execute(
        "select id, rule, severity, state, source, server, acked_by, suppressed"
        " from analytics.active_alerts"
    ).fetchall()

    assert row == [(alert, "queue_long", "warning", "firing", "web", None, "ann", False)]
