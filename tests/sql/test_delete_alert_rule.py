"""Deletion of alert rules: their alerts end, their history stays."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from psycopg import Connection

from tests.sql.alert_rules import (
    NAME,
    condition,
    define,
    delete,
    list_rules,
    raise_alert,
    rule,
    versions,
)
from tests.sql.calls import NOW, ask, ingest_metrics, metric, refused

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def db(db: Connection) -> Connection:
    """The database with the kind of the rules."""
    ingest_metrics(db, metric())
    return db


def test_the_alerts_of_a_deleted_rule_end_with_it(db: Connection) -> None:
    define(db, rule())
    define(db, rule(), "other")
    raise_alert(db, "pending", source="b")
    raise_alert(db, "firing", source="a")
    raise_alert(db, "firing", name="other", source="c")
    answer = delete(db, now=LATER)
    assert (answer["deleted_by"], answer["ended"]) == ("bob", 2)
    assert datetime.fromisoformat(answer["deleted_at"]) == LATER
    rows = db.execute(
        "select at, fingerprint, from_state, to_state, value, evidence"
        " from data.alert_transition order by transition_id"
    ).fetchall()
    evidence = {"rule_version": 1, "reason": "The rule was deleted by bob."}
    assert rows == [
        (LATER, "a", "firing", "resolved", 5, evidence),
        (LATER, "b", "pending", "inactive", 5, evidence),
    ]
    assert ask(db, "select string_agg(fingerprint, '') from data.alert") == "c"


def test_the_end_of_an_alert_follows_its_last_evaluation(db: Connection) -> None:
    define(db, rule())
    raise_alert(db, "firing")
    db.execute("update data.alert_rule set evaluated_at = %s", [LATER + timedelta(seconds=5)])
    delete(db, now=LATER)
    assert ask(db, "select at from data.alert_transition") == LATER + timedelta(seconds=5)


def test_the_versions_of_a_deleted_rule_stay(db: Connection) -> None:
    define(db, rule())
    delete(db, now=LATER)
    shown = list_rules(db, name=NAME)
    assert shown["state"] == "deleted"
    assert datetime.fromisoformat(shown["versions"][0]["to"]) == LATER


def test_a_deleted_rule_is_deleted_once(db: Connection) -> None:
    define(db, rule())
    first = delete(db, now=LATER)
    again = delete(db, author="carl", now=LATER + timedelta(hours=1))
    assert again == first


def test_a_deleted_rule_is_restored_by_its_definition(db: Connection) -> None:
    define(db, rule())
    delete(db, now=LATER)
    answer = define(db, rule(), now=LATER + timedelta(hours=1))
    assert (answer["outcome"], answer["version"], answer["changes"]) == ("restored", 2, [])
    shown = list_rules(db, name=NAME)
    assert (shown["state"], shown["deleted_at"]) == ("inactive", None)
    at = "select count(*) from data.alert_rule_version where valid @> %s"
    assert [ask(db, at, LATER + timedelta(minutes=m)) for m in (-1, 30, 61)] == [1, 0, 1]
    assert versions(db) == [(1, "ann"), (2, "ann")]


def test_a_rule_defined_and_deleted_at_one_instant_was_in_force_for_a_moment(
    db: Connection,
) -> None:
    define(db, rule())
    delete(db)
    define(db, rule(condition(threshold=1)))
    delete(db)
    assert ask(db, "select bool_and(upper(valid) > lower(valid)) from data.alert_rule_version")


@pytest.mark.parametrize("author", ["", "a\nb", "a" * 201, None])
def test_a_deletion_has_an_author(db: Connection, author: str) -> None:
    define(db, rule())
    with refused(db, "author_well_formed"):
        delete(db, author=author)


def test_an_unknown_rule_is_not_deleted(db: Connection) -> None:
    define(db, rule(), "latency_high")
    with refused(db, "alert_rule_unknown") as refusal:
        delete(db, "latency_hihg")
    assert refusal.params == {"nearest": "latency_high"}
