"""Alert rules that are refused: why, and which field is named."""

from __future__ import annotations

import json
from typing import Any

import pytest
from psycopg import Connection
from psycopg.types.json import Jsonb

from tests.sql.alert_rules import (
    ABSENT,
    AFTER,
    CONDITIONS,
    DURING,
    NAME,
    condition,
    define,
    detail,
    faults,
    known,
    rule,
    versions,
)
from tests.sql.calls import NOW, Json, ask, refused


@pytest.fixture
def db(db: Connection) -> Connection:
    """The database with the kinds and the server that the rules of this module name."""
    known(db)
    return db


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


def test_of_more_than_a_hundred_faults_the_first_ones_are_named(db: Connection) -> None:
    unknown = {f"z{number:02}": 1 for number in range(100)}
    assert faults(db, rule() | unknown | {"for": "31d"}) == [
        ("for", "duration_in_range"),
        *((field, "field_known") for field in sorted(unknown)[:99]),
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
    pair = {"factor": 1, "short": "5m", "long": "11d"}
    during = CONDITIONS["fact during a condition"]
    for good in (
        condition(window="10d"),
        condition(window="5d", compare="change"),
        during | {"during": DURING | {"window": "10d"}},
        AFTER | {"window": "11d"},
        {"type": "burn_rate", "pairs": [pair]},
    ):
        define(db, rule(good))
    for given, field in (
        (condition(window="6d", compare="change"), "window"),
        (during | {"during": DURING | {"window": "11d"}}, "during.window"),
        (during | {"during": DURING | {"window": "6d", "compare": "change"}}, "during.window"),
        (CONDITIONS["burn rate of metrics"] | {"pairs": [pair]}, "pairs[0].long"),
    ):
        assert faults(db, rule(given)) == [(f"condition.{field}", "window_within_retention")]


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
                "during": DURING | {"group_by": "label.region"},
            },
            ["during.group_by"],
        ),
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


def test_of_a_member_of_another_type_nothing_more_is_asked_for(db: Connection) -> None:
    given = condition(during={"kind": "cpu", "statistic": "avg"})
    assert faults(db, rule(given)) == [("condition.during", "field_known")]


@pytest.mark.parametrize(
    ("pair", "expected"),
    [
        ({"factor": 0, "short": "5m", "long": "1h"}, ("factor", "field_well_formed")),
        ({"factor": 1, "short": "1h", "long": "1h"}, ("short", "windows_ordered")),
        ({"factor": 1, "short": "30s", "long": "1h"}, ("short", "duration_in_range")),
        ({"factor": 1, "short": "5m"}, ("long", "field_required")),
        ({"factor": 1, "short": "soon", "long": "1h"}, ("short", "field_well_formed")),
        ({"factor": 1, "short": "5m", "long": "late"}, ("long", "field_well_formed")),
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


def test_a_refusal_quotes_the_first_100_characters_of_a_label(db: Connection) -> None:
    label = "n" * 101
    with refused(db, "document_refused") as refusal:
        define(db, rule(condition(group_by=f"label.{label}"), labels={label: "x"}))

    (fault,) = (each for each in refusal.params["faults"] if each["slug"] == "label_reserved")
    assert fault["field"] == f"labels.{label[:100]}"
    assert fault["detail"].startswith(f'The rule sets the label "{label[:100]}" itself.')


@pytest.mark.parametrize(
    "text",
    ["{{ $values }}", "{{ value }}", "{{}}", "{{ $labels.source }}", "{{ .Value | humanize }}"],
)
def test_an_unknown_placeholder_is_refused(db: Connection, text: str) -> None:
    listed = faults(
        db, rule(annotations={"a": "good {{ $value }} {{$labels.severity}}", "b": text})
    )
    assert listed == [("annotations.b", "placeholder_known")]


def test_a_refusal_quotes_the_first_100_characters_of_a_placeholder(db: Connection) -> None:
    name, text = "n" * 101, f"{{{{ {'x' * 100} }}}}"
    with refused(db, "document_refused") as refusal:
        define(db, rule(annotations={name: text}))

    (fault,) = (each for each in refusal.params["faults"] if each["slug"] == "placeholder_known")
    assert fault["field"] == f"annotations.{name[:100]}"
    assert fault["detail"].startswith(f'Unknown placeholder "{text[:100]}". Send')


def test_the_first_hundred_servers_that_are_not_registered_are_named(db: Connection) -> None:
    given = {"type": "keepalive", "servers": [f"none{number}" for number in range(101)]}
    fields = [f"condition.servers[{number}]" for number in range(100)]
    assert sorted(faults(db, rule(given))) == [
        (each, "server_registered") for each in sorted(fields)
    ]


def crowded(field: str, names: list[str]) -> Json:
    """A rule with so many of what a field has."""
    pair = {"factor": 1, "short": "5m", "long": "1h"}
    documents: dict[str, Json] = {
        "labels": rule(labels=dict.fromkeys(names, "x")),
        "annotations": rule(annotations=dict.fromkeys(names, "x")),
        "condition.where.labels": rule(condition(where={"labels": dict.fromkeys(names, "x")})),
        "condition.where.has": rule(condition(where={"has": names})),
        "condition.servers": rule({"type": "keepalive", "servers": names}),
        "condition.tags": rule({"type": "keepalive", "tags": names}),
        "condition.pairs": rule({"type": "burn_rate", "pairs": [pair for _ in names]}),
    }
    return documents[field]


@pytest.mark.parametrize(
    ("field", "most"),
    [
        ("labels", 32),
        ("annotations", 32),
        ("condition.where.labels", 32),
        ("condition.where.has", 32),
        ("condition.servers", 1000),
        ("condition.tags", 32),
        ("condition.pairs", 10),
    ],
)
def test_a_list_or_an_object_has_one_to_so_many_members(
    db: Connection, field: str, most: int
) -> None:
    counts = []
    for count in (1, most, most + 1):
        document = crowded(field, [f"name_{number}" for number in range(count)])
        found = ask(db, "select internal.alert_rule_faults(%s, %s)", NAME, Jsonb(document))
        if any(each["slug"] == "field_well_formed" for each in found or ()):
            counts.append(count)

    assert counts == [most + 1]


def test_a_document_of_more_than_half_a_mebibyte_is_refused(db: Connection) -> None:
    document = rule(annotations={"a": "x" * 524288})
    assert faults(db, document) == [("", "document_within_limit")]


def test_a_refused_definition_changes_nothing(db: Connection) -> None:
    define(db, rule())
    faults(db, rule(condition(window="1s")))
    faults(db, rule(condition(window="1s")), "other")
    assert versions(db) == [(1, "ann")]
    assert ask(db, "select count(*) from data.alert_rule") == 1
