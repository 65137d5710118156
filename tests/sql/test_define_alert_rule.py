"""Definition of alert rules: what is refused, what is kept, and when a version begins."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from psycopg import Connection

from tests.sql.alert_rules import NAME, condition, define, rule, stored, versions
from tests.sql.calls import (
    NOW,
    Json,
    ask,
    fact,
    histogram,
    ingest_facts,
    ingest_metrics,
    metric,
    refused,
)
from tests.sql.registry import register, server_json

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
ABSENT: Json = {"type": "metric", "kind": "cpu", "statistic": "absent", "window": "10m"}
DURING: Json = {name: value for name, value in condition().items() if name != "type"}
AFTER: Json = {
    "type": "fact",
    "kind": "Fact:Sale",
    "within": "10m",
    "after": {"kind": "Fact:Deal"},
    "window": "1h",
}
SHARE: Json = {
    "kind": "cpu",
    "statistic": "count",
    "where": {"labels": {"code": "500"}},
    "divided_by": {"kind": "cpu", "statistic": "count"},
}
CONDITIONS: dict[str, Json] = {
    "metric": condition(
        where={"source": "web", "labels": {"a": "b"}, "has": ["error.type"]},
        group_by="label.region",
    ),
    "ratio": condition(**SHARE, threshold=0.05, group_by="source"),
    "change": condition(compare="change", threshold=-0.5, operator="<=", window="15d"),
    "absent": {**ABSENT, "group_by": "source"},
    "health": {"type": "health", "statuses": ["down", "degraded"], "servers": ["shop"]},
    "keepalive": {"type": "keepalive", "tags": ["shop"]},
    "burn rate of servers": {"type": "burn_rate", "tags": ["shop"]},
    "burn rate of metrics": {
        "type": "burn_rate",
        **SHARE,
        "group_by": "source",
        "target": 99.5,
        "pairs": [{"factor": 2, "short": "5m", "long": "30d"}],
    },
    "fact after a fact": {**AFTER, "present": False, "join": "subject"},
    "fact during a condition": {
        "type": "fact",
        "kind": "Fact:Sale",
        "within": "10m",
        "join": "none",
        "during": {**DURING, "group_by": "label.region"},
    },
}


@pytest.fixture
def db(db: Connection) -> Connection:
    """The database with the kinds and the server that the rules of this module name."""
    ingest_metrics(db, metric())
    ingest_metrics(db, histogram([1, 2], [1, 2, 3], 9))
    ingest_facts(db, [fact("Fact:Deal"), fact("Fact:Sale")])
    register(db, server_json(), "shop")
    return db


def faults(conn: Connection, document: object, name: str = NAME) -> list[tuple[str, str]]:
    """Field and slug of every rule for which a document is refused."""
    with refused(conn, "document_refused") as refusal:
        define(conn, document, name)
    assert refusal.message.startswith("invalid ")
    listed = refusal.params["faults"]
    assert all(fault["detail"].endswith((".", "/-", ":-")) for fault in listed)
    return [(fault["field"], fault["slug"]) for fault in listed]


def detail(conn: Connection, document: object) -> str:
    """What the only fault of a document says."""
    with refused(conn, "document_refused") as refusal:
        define(conn, document)
    (fault,) = refusal.params["faults"]
    return str(fault["detail"])


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


@pytest.mark.parametrize("name", ["", "1a", "a b", "ä", "a/b", "a" * 201])
def test_a_malformed_name_is_refused(db: Connection, name: str) -> None:
    assert faults(db, rule(), name) == [("name", "field_well_formed")]


def test_a_name_in_the_document_is_the_one_in_the_path(db: Connection) -> None:
    define(db, rule(name=NAME))
    assert faults(db, rule(name="other")) == [("name", "name_matches_path")]


@pytest.mark.parametrize("document", [[], "text", 5, None])
def test_a_document_that_is_no_object_is_refused(db: Connection, document: object) -> None:
    assert faults(db, document) == [("", "field_well_formed")]


def test_every_fault_is_reported_with_its_place(db: Connection) -> None:
    document = {
        "condition": {
            "type": "metric",
            "kind": "cpuu",
            "statistic": "mean",
            "window": "5 minutes",
            "threshold": "90",
            "where": {"labels": {"a b": "", "c": 1}, "host": "x"},
            "group_by": "host",
            "divided_by": {"kind": "cpu"},
        },
        "for": "31d",
        "severity": "high",
        "labels": {"severity": "x"},
        "annotations": {"summary": "{{ $labels.nope }}"},
        "enable": True,
    }
    assert faults(db, document) == [
        ("annotations.summary", "placeholder_known"),
        ("author", "field_required"),
        ("condition.divided_by.statistic", "field_required"),
        ("condition.group_by", "field_well_formed"),
        ("condition.kind", "kind_known"),
        ("condition.operator", "condition_complete"),
        ("condition.statistic", "field_well_formed"),
        ("condition.threshold", "field_well_formed"),
        ("condition.where.host", "field_known"),
        ("condition.where.labels.a b", "field_well_formed"),
        ("condition.where.labels.a b", "field_well_formed"),
        ("condition.where.labels.c", "field_well_formed"),
        ("condition.window", "field_well_formed"),
        ("enable", "field_known"),
        ("for", "duration_in_range"),
        ("labels.severity", "label_reserved"),
        ("severity", "field_well_formed"),
    ]


@pytest.mark.parametrize("given", [{}, {"type": "sql"}, {"type": 5}, {"kind": "cpu"}])
def test_a_condition_without_a_known_type_is_asked_for_one(db: Connection, given: Json) -> None:
    slug = "field_well_formed" if "type" in given else "field_required"
    assert faults(db, rule(given)) == [("condition.type", slug)]
    assert "metric, health, keepalive, burn_rate, fact" in detail(db, rule(given))


@pytest.mark.parametrize("given", [[], "metric", 1, None])
def test_a_condition_is_an_object(db: Connection, given: Any) -> None:
    document = {"author": "ann", "condition": given}
    assert faults(db, document) == [("condition", "field_well_formed")]


@pytest.mark.parametrize("window", ["1m", "90s", "24h", "30d", "720h"])
def test_a_window_of_a_minute_to_thirty_days_is_taken(db: Connection, window: str) -> None:
    assert define(db, rule(condition(window=window)))["outcome"] == "created"


@pytest.mark.parametrize("window", ["0s", "59s", "31d", "721h", "9999d"])
def test_an_impossible_window_is_refused(db: Connection, window: str) -> None:
    listed = faults(db, rule(condition(window=window)))
    assert ("condition.window", "duration_in_range") in listed


@pytest.mark.parametrize("window", ["", "5", "5 m", "m", "-5m", "1.5h", "05m", "5min", "P1D", 300])
def test_a_window_that_is_no_duration_is_refused(db: Connection, window: object) -> None:
    listed = faults(db, rule(condition(window=window)))
    assert listed == [("condition.window", "field_well_formed")]


def test_a_window_beyond_the_retention_of_rollups_is_refused(db: Connection) -> None:
    db.execute("select remove_retention_policy('data.sample_1h')")
    db.execute("select add_retention_policy('data.sample_1h', interval '10 days')")
    define(db, rule(condition(window="10d")))
    listed = faults(db, rule(condition(window="6d", compare="change")))
    assert listed == [("condition.window", "window_within_retention")]


def test_an_unknown_kind_is_refused_with_the_nearest_one(db: Connection) -> None:
    given = condition(kind="latencyy", divided_by={"kind": "cpux", "statistic": "sum"})
    assert faults(db, rule(given)) == [
        ("condition.divided_by.kind", "kind_known"),
        ("condition.kind", "kind_known"),
    ]
    assert 'Did you mean "latency"?' in detail(db, rule(condition(kind="latencyy")))


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (AFTER | {"kind": "Fact:Sold"}, "condition.kind"),
        (AFTER | {"after": {"kind": "Fact:Dealt"}}, "condition.after.kind"),
        (
            CONDITIONS["fact during a condition"] | {"during": DURING | {"kind": "cpux"}},
            "condition.during.kind",
        ),
    ],
)
def test_an_unknown_kind_is_found_wherever_it_is(db: Connection, given: Json, field: str) -> None:
    assert faults(db, rule(given)) == [(field, "kind_known")]


def test_a_server_that_is_not_registered_is_refused_with_its_place(db: Connection) -> None:
    given = {"type": "keepalive", "servers": ["shop", "shopp"]}
    assert faults(db, rule(given)) == [("condition.servers[1]", "server_registered")]
    assert 'Did you mean "shop"?' in detail(db, rule(given))


@pytest.mark.parametrize("threshold", ["1e308", "-1e308", "1e400", "1e1000", "1e-400"])
def test_a_threshold_that_is_not_finite_is_refused(db: Connection, threshold: str) -> None:
    document = json.dumps(rule(condition(threshold=0))).replace(
        '"threshold": 0', f'"threshold": {threshold}'
    )
    with refused(db, "document_refused") as refusal:
        ask(db, "select api.define_alert_rule(%s, %s::jsonb, %s)", NAME, document, NOW)
    (fault,) = refusal.params["faults"]
    assert (fault["field"], fault["slug"]) == ("condition.threshold", "threshold_finite")


def test_a_target_without_an_error_budget_is_refused(db: Connection) -> None:
    document = json.dumps({"author": "ann", "condition": {"type": "burn_rate", "target": 99}})
    nines = document.replace("99", "99.99999999999999999999")
    with refused(db, "document_refused") as refusal:
        ask(db, "select api.define_alert_rule(%s, %s::jsonb, %s)", NAME, nines, NOW)
    (fault,) = refusal.params["faults"]
    assert fault["field"] == "condition.target"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({**ABSENT, "operator": ">", "threshold": 1}, ["operator", "threshold"]),
        ({**ABSENT, "compare": "change"}, ["compare"]),
        (
            {"type": "burn_rate", "statistic": "count", "group_by": "source"},
            ["group_by", "statistic"],
        ),
        (
            CONDITIONS["burn rate of metrics"] | {"servers": ["shop"], "tags": ["a"]},
            ["servers", "tags"],
        ),
        (AFTER | {"during": DURING}, ["after", "window"]),
        (CONDITIONS["fact during a condition"] | {"join": "source"}, ["during.group_by"]),
        (
            {
                "type": "fact",
                "kind": "Fact:Sale",
                "within": "1m",
                "join": "subject",
                "during": DURING,
            },
            ["join"],
        ),
    ],
)
def test_members_that_do_not_go_together_are_refused(
    db: Connection, given: Json, expected: list[str]
) -> None:
    assert faults(db, rule(given)) == [(f"condition.{name}", "field_applies") for name in expected]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"type": "burn_rate", "kind": "cpu"}, ["statistic", "target"]),
        ({"type": "fact", "kind": "Fact:Sale", "within": "1m"}, [""]),
        (
            CONDITIONS["fact during a condition"] | {"during": {"kind": "cpu", "statistic": "avg"}},
            ["during.operator", "during.threshold", "during.window"],
        ),
        ({"type": "health"}, ["statuses"]),
        ({"type": "metric"}, ["kind", "statistic", "window"]),
    ],
)
def test_what_a_condition_lacks_is_asked_for(
    db: Connection, given: Json, expected: list[str]
) -> None:
    fields = [field for field, _ in faults(db, rule(given))]
    assert fields == [f"condition.{name}".removesuffix(".") for name in expected]


@pytest.mark.parametrize(
    ("pair", "expected"),
    [
        ({"factor": 0, "short": "5m", "long": "1h"}, ("factor", "field_well_formed")),
        ({"factor": 1, "short": "1h", "long": "1h"}, ("short", "windows_ordered")),
        ({"factor": 1, "short": "30s", "long": "1h"}, ("short", "duration_in_range")),
        ({"factor": 1, "short": "5m"}, ("long", "field_required")),
    ],
)
def test_a_pair_of_windows_that_cannot_be_is_refused(
    db: Connection, pair: Json, expected: tuple[str, str]
) -> None:
    good = {"factor": 1, "short": "5m", "long": "1h"}
    listed = faults(db, rule({"type": "burn_rate", "pairs": [good, pair]}))
    assert listed == [(f"condition.pairs[1].{expected[0]}", expected[1])]


@pytest.mark.parametrize("target", [0, 100, 101, "99.9"])
def test_a_target_lies_between_nothing_and_everything(db: Connection, target: object) -> None:
    listed = faults(db, rule({"type": "burn_rate", "target": target}))
    assert listed == [("condition.target", "field_well_formed")]


def test_a_histogram_has_no_last_value(db: Connection) -> None:
    listed = faults(db, rule(condition(kind="latency", statistic="last")))
    assert listed == [("condition.statistic", "statistic_of_kind")]


@pytest.mark.parametrize(
    ("given", "label"),
    [
        (condition(), "alertname"),
        (condition(), "severity"),
        (condition(group_by="source"), "source"),
        (condition(group_by="label.region"), "region"),
        ({"type": "keepalive"}, "server"),
        ({**AFTER, "join": "subject"}, "subject"),
    ],
)
def test_a_label_that_the_rule_sets_itself_is_refused(
    db: Connection, given: Json, label: str
) -> None:
    listed = faults(db, rule(given, labels={label: "x", "team": "shop"}))
    assert listed == [(f"labels.{label}", "label_reserved")]


@pytest.mark.parametrize(
    "text",
    ["{{ $values }}", "{{ value }}", "{{}}", "{{ $labels.source }}", "{{ .Value | humanize }}"],
)
def test_an_unknown_placeholder_is_refused(db: Connection, text: str) -> None:
    listed = faults(
        db, rule(annotations={"a": "good {{ $value }} {{$labels.severity}}", "b": text})
    )
    assert listed == [("annotations.b", "placeholder_known")]


def test_more_than_thirty_two_labels_are_refused(db: Connection) -> None:
    labels = {f"label_{number}": "x" for number in range(33)}
    assert faults(db, rule(labels=labels)) == [("labels", "field_well_formed")]


def test_a_document_of_more_than_half_a_mebibyte_is_refused(db: Connection) -> None:
    document = rule(annotations={"a": "x" * 524288})
    assert faults(db, document) == [("", "document_within_limit")]


def test_a_refused_definition_changes_nothing(db: Connection) -> None:
    define(db, rule())
    faults(db, rule(condition(window="1s")))
    faults(db, rule(condition(window="1s")), "other")
    assert versions(db) == [(1, "ann")]
    assert ask(db, "select count(*) from data.alert_rule") == 1


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
    assert "update data.quota set value = 4 where name = 'alert_rules';" in refusal.hint
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
    later = NOW + timedelta(hours=1, seconds=1)
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
