"""Definition of alert rules: what is kept, and when a version begins."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from psycopg import Connection

from tests.sql.alert_rules import (
    ABSENT,
    AFTER,
    CONDITIONS,
    DURING,
    NAME,
    SHARE,
    condition,
    define,
    known,
    rule,
    stored,
    versions,
)
from tests.sql.calls import NOW, Json, ask, refused

DEFAULTS: Json = {
    "for": "0s",
    "keep_firing_for": "0s",
    "severity": "warning",
    "labels": {},
    "annotations": {},
    "no_data": "ok",
    "enabled": True,
}
SETTINGS: Json = {
    "for": "5m",
    "keep_firing_for": "90s",
    "severity": "critical",
    "labels": {"team": "shop"},
    "annotations": {"summary": "{{ $labels.source }} has {{$value}} for {{ $labels.team }}"},
    "no_data": "firing",
    "enabled": False,
}


@pytest.fixture
def db(db: Connection) -> Connection:
    """The database with the kinds and the server that the rules of this module name."""
    known(db)
    return db


@pytest.mark.parametrize("given", CONDITIONS.values(), ids=CONDITIONS.keys())
def test_a_condition_of_every_type_is_taken_and_kept(db: Connection, given: Json) -> None:
    assert define(db, rule(given))["outcome"] == "created"
    kept = stored(db)["condition"]
    assert {name: kept[name] for name in given if name not in {"divided_by", "during"}} == {
        name: value for name, value in given.items() if name not in {"divided_by", "during"}
    }


def test_everything_that_a_rule_says_is_kept(db: Connection) -> None:
    given = condition(where={"source": "web"}, group_by="source", compare="change")
    define(db, rule(given, **SETTINGS))
    assert stored(db) == {"condition": given, **SETTINGS}


def test_what_is_left_out_has_its_default_in_what_is_stored(db: Connection) -> None:
    define(db, rule())
    assert stored(db) == {**DEFAULTS, "condition": condition(where={}, compare="value")}


@pytest.mark.parametrize(
    ("given", "added"),
    [
        (ABSENT, {"where": {}}),
        (
            condition(**SHARE),
            {"compare": "value", "divided_by": {**SHARE["divided_by"], "where": {}}},
        ),
        (
            {"type": "burn_rate"},
            {
                "pairs": [
                    {"factor": 14.4, "short": "5m", "long": "1h"},
                    {"factor": 6, "short": "30m", "long": "6h"},
                    {"factor": 3, "short": "2h", "long": "1d"},
                    {"factor": 1, "short": "6h", "long": "3d"},
                ]
            },
        ),
        (AFTER, {"present": True, "join": "source"}),
        (
            {"type": "fact", "kind": "Fact:Sale", "within": "1m", "during": DURING},
            {
                "present": True,
                "join": "source",
                "during": {**DURING, "where": {}, "compare": "value"},
            },
        ),
    ],
)
def test_a_condition_has_the_defaults_of_its_type(db: Connection, given: Json, added: Json) -> None:
    define(db, rule(given))
    assert stored(db)["condition"] == {**given, **added}


def test_a_new_rule_is_answered_with_its_version(db: Connection) -> None:
    answer = define(db, rule())
    assert datetime.fromisoformat(answer.pop("defined_at")) == NOW
    assert answer == {
        "name": NAME,
        "outcome": "created",
        "version": 1,
        "author": "ann",
        "changes": [],
    }


def test_another_document_begins_a_version_with_its_author(db: Connection) -> None:
    define(db, rule())
    later = NOW + timedelta(hours=1)
    answer = define(db, {**rule(condition(threshold=95)), "author": "bob", "for": "5m"}, now=later)
    assert (answer["outcome"], answer["version"]) == ("changed", 2)
    assert answer["changes"] == [
        {"field": "condition.threshold", "before": 90, "after": 95},
        {"field": "for", "before": "0s", "after": "5m"},
    ]
    assert versions(db) == [(1, "ann"), (2, "bob")]


def test_the_same_document_again_begins_no_version(db: Connection) -> None:
    define(db, rule())
    answer = define(db, {**rule(severity="warning"), "author": "bob", "for": "0s"})
    assert (answer["outcome"], answer["version"], answer["author"]) == ("unchanged", 1, "ann")
    assert answer["changes"] == []
    assert versions(db) == [(1, "ann")]


def test_versions_of_one_instant_follow_each_other(db: Connection) -> None:
    for threshold, now in ((1, NOW), (2, NOW), (3, NOW - timedelta(days=1))):
        define(db, rule(condition(threshold=threshold)), now=now)
    at = (
        "select document #>> '{condition,threshold}' from data.alert_rule_version where valid @> %s"
    )
    assert ask(db, at, NOW + timedelta(hours=1)) == "3"
    assert [version for version, _ in versions(db)] == [1, 2, 3]


def test_a_changed_rule_is_free_of_the_error_of_its_last_version(db: Connection) -> None:
    define(db, rule())
    db.execute("update data.alert_rule set error = 'It fails.', error_since = %s", [NOW])
    define(db, rule(condition(threshold=1)))
    assert ask(db, "select error from data.alert_rule") is None


@pytest.mark.parametrize("window", ["1m", "90s", "24h", "30d", "720h"])
def test_a_window_of_a_minute_to_thirty_days_is_taken(db: Connection, window: str) -> None:
    assert define(db, rule(condition(window=window)))["outcome"] == "created"


def set_quota(conn: Connection, name: str, value: int) -> None:
    conn.execute("update data.quota set value = %s where name = %s", [value, name])


def test_a_rule_above_the_quota_is_refused_and_known_ones_still_change(db: Connection) -> None:
    set_quota(db, "alert_rules", 2)
    for name in ("a", "b"):
        define(db, rule(), name)

    with refused(db, "count_within_quota") as refusal:
        define(db, rule(), "c")
    assert refusal.message == "this would be 3 alert rules; the quota is 2"
    assert refusal.params == {"quota": "alert_rules", "allowed": 2}
    assert "select ops.set_quota('alert_rules', 4);" in refusal.hint
    assert define(db, rule(condition(threshold=1)), "b")["outcome"] == "changed"


def test_new_versions_of_a_rule_are_limited_by_the_hour(db: Connection) -> None:
    set_quota(db, "new_versions_per_alert_rule_and_hour", 2)
    for threshold in (1, 2):
        define(db, rule(condition(threshold=threshold)))

    with refused(db, "count_within_quota") as refusal:
        define(db, rule(condition(threshold=3)))
    assert refusal.params["retry_after_seconds"] == 3600
    assert define(db, rule(condition(threshold=2)))["outcome"] == "unchanged"
    assert define(db, rule(), "another")["outcome"] == "created"
    later = NOW + timedelta(hours=1)
    assert define(db, rule(condition(threshold=3)), now=later)["outcome"] == "changed"


def test_a_new_version_of_a_rule_that_took_too_long_is_evaluated_at_once_and_alone(
    db: Connection,
) -> None:
    define(db, rule())
    for _ in range(3):
        db.execute(
            "select internal.postpone_alert_rules(array_agg(rule_id), '5 s', %s)"
            " from data.alert_rule",
            [NOW],
        )

    define(db, rule(condition(window="1m")), now=NOW + timedelta(minutes=1))

    assert db.execute("select due_at, error, cancellations from data.alert_rule").fetchone() == (
        None,
        None,
        1,
    )
