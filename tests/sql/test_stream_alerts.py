"""The stream of changes of the states of alerts; test_stream_facts.py has its order."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from psycopg import Connection
from psycopg.types.json import Jsonb

from tests.sql.calls import NOW, Json, ask, refused
from tests.sql.raised_alerts import add_transition, after, raise_alert, written

NAMES = ("rule", "labels", "last_event_id", "until", "limit")
NOTHING_OF_A_CHANGE = f"/0/0/{int(NOW.timestamp())}"
# 101 runs, 103 is the newest one that has ended.
UNSEEN = f"101:104:101{NOTHING_OF_A_CHANGE}"


def position(end: int, at: datetime = NOW) -> str:
    """The position of a reader that has everything of the transactions before `end`."""
    return f"{end}:{end}:/0/0/{int(at.timestamp())}"


def stream(db: Connection, last_event_id: str | None, **more: Any) -> Json:
    """A reading as it is after the commit of this transaction."""
    number = ask(db, "select pg_current_xact_id()::text::bigint")
    now = more.pop("now", NOW)
    given = {"until": position(number + 1), **more, "last_event_id": last_event_id}
    assert set(given) <= set(NAMES)
    if "labels" in given:
        given["labels"] = Jsonb(given["labels"])
    statement = "select api.stream_alerts(%s, %s, %s, %s, %s, %s)"
    answer: Json = ask(db, statement, *(given.get(name) for name in NAMES), now)
    return answer


def states(reading: Json) -> list[str]:
    return [event["data"]["to_state"] for event in reading["events"]]


@pytest.fixture
def beginning(db: Connection) -> str:
    """The position before what the test stores."""
    before = position(ask(db, "select pg_current_xact_id()::text::bigint"))
    # A position must not be ahead of the newest transaction that has ended, such as this one.
    with db.transaction(force_rollback=True):
        raise_alert(db)
    return before


def test_a_change_of_a_state_comes_as_the_history_has_it(db: Connection, beginning: str) -> None:
    alert = raise_alert(db, source="web")
    add_transition(db, alert, late=True)

    (event,) = stream(db, beginning)["events"]
    history = ask(
        db, "select api.list_alert_history(null, null, null, null, null, null, null, %s)", NOW
    )
    assert [event["data"]] == history["items"]
    assert event["about"] == {"alertname": "queue_long", "severity": "warning", "source": "web"}


def test_each_id_resumes_after_its_event(db: Connection, beginning: str) -> None:
    alert = raise_alert(db)
    add_transition(db, alert, "inactive", "pending")
    add_transition(db, alert, "pending", "firing")
    add_transition(db, alert, "firing", "resolved")

    reading = stream(db, beginning, limit=2)
    assert states(reading) == ["pending", "firing"]
    assert states(stream(db, reading["events"][0]["id"])) == ["firing", "resolved"]
    assert states(stream(db, reading["position"])) == ["resolved"]


def numbered(db: Connection, *changes: int) -> None:
    """Transitions of an alert, pending and then firing and resolved, by their transactions."""
    alert = raise_alert(db)
    steps = [("inactive", "pending"), ("pending", "firing"), ("firing", "resolved")]
    # The one that is stored last is read first.
    for change, (before, state) in reversed(list(zip(changes, steps, strict=False))):
        add_transition(db, alert, before, state)
        db.execute(
            "update data.alert_transition set change = %s where to_state = %s", [change, state]
        )


@pytest.mark.parametrize("reached", ["101:104:101,102,103", "101:103:101,102", "101:101:"])
def test_pages_come_in_the_order_of_the_transactions(db: Connection, reached: str) -> None:
    numbered(db, 101, 102, 103)

    reading = stream(db, f"{reached}{NOTHING_OF_A_CHANGE}", until=position(104), limit=1)
    assert states(reading) == ["pending"]
    reading = stream(db, reading["position"], until=position(104), limit=1)
    assert states(reading) == ["firing"]
    reading = stream(db, reading["position"], until=position(104), limit=1)
    assert (states(reading), reading["position"]) == (["resolved"], position(104))


def test_the_rest_of_a_transaction_comes_in_order(db: Connection) -> None:
    alert = raise_alert(db)
    # More than two pages are left after the first.
    for minutes in (3, 1, 4, 0, 2):
        add_transition(db, alert, at=after(minutes=-minutes))
    db.execute("update data.alert_transition set change = 101")

    reached, found = position(101), []
    for _ in range(5):
        reading = stream(db, reached, until=position(102), limit=1)
        reached = reading["position"]
        found += [event["data"]["at"] for event in reading["events"]]

    assert found == [written(after(minutes=-minutes)) for minutes in (3, 1, 4, 0, 2)]
    assert reached == position(102)


def test_the_rest_of_a_transaction_comes_before_one_with_a_smaller_number(db: Connection) -> None:
    numbered(db, 101, 103, 103)
    cut = stream(db, "101:103:101" + NOTHING_OF_A_CHANGE, until=UNSEEN, limit=1)
    assert states(cut) == ["resolved"]

    reading = stream(db, cut["position"], until=position(104), limit=1)
    assert states(reading) == ["firing"]
    reading = stream(db, reading["position"], until=position(104), limit=1)
    assert (states(reading), reading["position"]) == (["pending"], position(104))


@pytest.mark.parametrize("reached", ["101:103:101,102", "101:101:"])
@pytest.mark.parametrize(("hidden", "expected"), [(101, ["firing"]), (102, ["pending"])])
def test_a_transaction_that_is_not_committed_holds_no_other_one_back(
    db: Connection, reached: str, hidden: int, expected: list[str]
) -> None:
    numbered(db, 101, 102)

    until = f"{hidden}:103:{hidden}{NOTHING_OF_A_CHANGE}"
    reading = stream(db, reached + NOTHING_OF_A_CHANGE, until=until)
    assert states(reading) == expected


@pytest.mark.parametrize("reached", ["101:104:101,102,103", "101:101:"])
def test_a_process_that_lags_behind_the_writer_gives_what_it_sees(
    db: Connection, reached: str
) -> None:
    numbered(db, 101, 102, 103)

    reading = stream(db, reached + NOTHING_OF_A_CHANGE, until=position(103))
    assert states(reading) == ["pending", "firing"]


def test_a_process_that_lags_behind_the_reader_gives_nothing_that_it_does_not_see(
    db: Connection,
) -> None:
    numbered(db, 101)
    reached = "101:103:101" + NOTHING_OF_A_CHANGE

    reading = stream(db, reached, until=position(101))
    assert (reading["events"], reading["position"]) == ([], reached)


@pytest.mark.parametrize("reached", ["101:101:/101/0", "101:102:101/0/0", "101:101:/0/0"])
def test_a_change_of_a_day_before_the_position_is_the_oldest_that_comes(
    db: Connection, reached: str
) -> None:
    alert = raise_alert(db)
    day_before = NOW.replace(microsecond=0) - timedelta(days=1)
    add_transition(db, alert, "inactive", "pending", at=day_before)
    add_transition(db, alert, at=day_before - timedelta(seconds=1))
    db.execute("update data.alert_transition set change = 101")

    reading = stream(db, f"{reached}/{int(NOW.timestamp())}", until=position(102))
    assert states(reading) == ["pending"]


def test_a_page_has_500_changes_by_default_and_1000_at_most(db: Connection, beginning: str) -> None:
    alert = raise_alert(db)
    db.execute(
        "insert into data.alert_transition (at, rule_id, version, fingerprint, labels, from_state,"
        " to_state, value, late, evidence, annotations)"
        " select %s, rule_id, version, fingerprint, labels, 'pending', 'firing', value, false,"
        " evidence, annotations from data.alert, generate_series(1, 501)"
        " where fingerprint = %s",
        [NOW, alert],
    )

    assert len(stream(db, beginning)["events"]) == 500
    with refused(db, "limit_in_range"):
        stream(db, beginning, limit=1001)


def test_a_page_that_is_full_and_was_the_last_says_that_it_was_everything(
    db: Connection, beginning: str
) -> None:
    alert = raise_alert(db)
    for _ in range(3):
        add_transition(db, alert)

    full, cut = stream(db, beginning, limit=3), stream(db, beginning, limit=2)
    assert full["position"] == full["until"]
    assert cut["position"] == cut["events"][-1]["id"] != cut["until"]


def test_filters_leave_the_others_out(db: Connection, beginning: str) -> None:
    for rule, severity, source in (
        ("slow", "warning", "web"),
        ("slow", "info", "db"),
        ("down", "critical", "web"),
    ):
        add_transition(db, raise_alert(db, rule, severity, source=source))

    def found(**filters: Any) -> list[str]:
        events = stream(db, beginning, **filters)["events"]
        return [event["data"]["severity"] for event in events]

    assert found(rule="slow") == ["warning", "info"]
    assert found(labels={"source": "web"}) == ["warning", "critical"]
    assert found(rule="slow", labels={"source": "web"}) == ["warning"]
    assert found(labels={"source": "web", "region": "eu"}) == []


def test_a_client_that_comes_back_after_months_gets_everything(db: Connection) -> None:
    number = ask(db, "select pg_current_xact_id()::text::bigint")
    alert = raise_alert(db)
    for days in (100, 50, 1):
        add_transition(db, alert, at=after(days=-days))

    reading = stream(db, position(number, after(days=-100)), until=position(number + 1))
    assert len(reading["events"]) == 3
    assert reading["missing"] is None


def test_a_rule_that_does_not_exist_is_refused(db: Connection, beginning: str) -> None:
    with refused(db, "alert_rule_unknown") as refusal:
        stream(db, beginning, rule="nothing")
    assert refusal.column == "rule"


def test_an_id_that_no_event_had_is_refused(db: Connection) -> None:
    with refused(db, "last_event_id_well_formed"):
        stream(db, "7")
