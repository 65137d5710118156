"""Subscriptions are stored, refused and removed, and their secrets are shown once."""

from __future__ import annotations

import json

import pytest
from psycopg import Connection
from psycopg.types.json import Jsonb

from tests.sql.calls import NOW, Json, ask, refused
from tests.sql.deliveries import AT_ONCE, define_by_source, fire, subscribe, take


@pytest.fixture
def rule(db: Connection) -> Connection:
    """A rule that fires by source."""
    define_by_source(db)
    return db


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://a.example", "a.example"),
        ("http://A.example:8080/path@b?c://d", "a.example:8080"),
        ("https://a.example?b", "a.example"),
        ("https://a.example#b", "a.example"),
        ("http://[::1]:9093/api/v2/alerts", "[::1]:9093"),
    ],
)
def test_a_host_is_one_with_its_port(db: Connection, url: str, host: str) -> None:
    subscribe(db, url=url, facts={})
    assert ask(db, "select host from data.subscription") == host


def test_a_secret_is_shown_once(db: Connection) -> None:
    created = subscribe(db, facts={})
    again = subscribe(db, facts={})

    assert created["outcome"] == "created"
    assert created["secret"].startswith("whsec_")
    assert again["outcome"] == "unchanged"
    assert again["secret"] is None
    listed = ask(db, "select api.list_subscriptions(null, null, null, %s)", NOW)
    assert created["secret"] not in json.dumps(listed)


def test_a_removed_subscription_is_sent_nothing(rule: Connection) -> None:
    subscribe(rule, alerts=AT_ONCE)
    fire(rule, "a")

    ask(rule, "select api.unsubscribe('pager', %s)", NOW)

    assert take(rule) == []
    with refused(rule, "subscription_unknown"):
        ask(rule, "select api.unsubscribe('pager', %s)", NOW)


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({}, "alerts"),
        ({"facts": {}, "url": "ftp://example.com"}, "url"),
        ({"facts": {}, "url": "https://ann:secret@example.com"}, "url"),
        ({"facts": {}, "url": "https://ann@example.com"}, "url"),
        ({"facts": {}, "url": "http://["}, "url"),
        ({"facts": {}, "url": "http://[1::2::3]/"}, "url"),
        ({"facts": {}, "url": "http://host:99999"}, "url"),
        ({"facts": {}, "url": "http://host:0/"}, "url"),
        ({"facts": {}, "url": "http://host:1:2"}, "url"),
        ({"facts": {}, "url": "http://a..example/"}, "url"),
        ({"facts": {}, "url": "http://999.1.1.1/"}, "url"),
        ({"facts": {}, "secret": "short"}, "secret"),
        ({"facts": {}, "secret": "whsec_" + "A" * 33}, "secret"),
        ({"facts": {}, "secret": "whsec_" + "A" * 87 + "="}, "secret"),
        ({"facts": {}, "type": "alertmanager"}, "facts"),
        ({"facts": {"kinds": ["cpu"]}}, "facts.kinds[0]"),
        ({"alerts": {"group_wait": "soon"}}, "alerts.group_wait"),
        (
            {"alerts": {"matchers": [{"name": "a", "operator": "=~", "value": "("}]}},
            "alerts.matchers[0].value",
        ),
    ],
)
def test_a_bad_subscription_is_refused_with_its_field(
    db: Connection, document: Json, field: str
) -> None:
    with refused(db, "document_refused") as problem:
        subscribe(db, **document)

    assert field in [fault["field"] for fault in problem.params["faults"]]


def test_each_fault_of_a_subscription_says_what_to_send(db: Connection) -> None:
    with refused(db, "document_refused") as problem:
        subscribe(db, alerts={"group_wait": "soon"}, facts={}, secret="short", url="ftp://x")

    url = "n http or https URL in ASCII, with a host, a port up to 65535 and no credentials."
    assert [(fault["field"], fault["detail"]) for fault in problem.params["faults"]] == [
        (
            "alerts.group_wait",
            'The value is the string "soon". Send a string of at most 5 characters: a number and'
            " its unit, such as 30s, 5m or 4h.",
        ),
        ("secret", "Send whsec_ and the base64 of 24 to 64 random bytes, or leave it out."),
        ("url", f"Send a{url}"),
    ]
    document = Jsonb({"author": "ann", "facts": {}})
    (fault,) = ask(db, "select internal.subscription_faults('pager', %s)", document)
    assert fault["detail"] == f"Send a string of at most 2000 characters: a{url}"


@pytest.mark.parametrize(
    ("part", "field", "most"),
    [("alerts", "group_by", 20), ("facts", "kinds", 100), ("facts", "sources", 100)],
)
def test_a_list_of_a_subscription_has_one_to_so_many_members(
    db: Connection, part: str, field: str, most: int
) -> None:
    prefix = "Fact:" if field == "kinds" else ""

    def members(count: int) -> Json:
        return {part: {field: [f"{prefix}Name{number}" for number in range(count)]}}

    for count in (1, most):
        assert subscribe(db, f"s{count}", **members(count))["outcome"] == "created"
    with refused(db, "document_refused"):
        subscribe(db, **members(most + 1))


def test_a_matcher_of_a_label_that_nothing_has_is_stored_with_a_hint(db: Connection) -> None:
    wanted = {"matchers": [{"name": "severty", "operator": "=", "value": "critical"}]}

    answer = subscribe(db, alerts=wanted)

    assert answer["outcome"] == "created"
    assert answer["hint"].startswith(
        'No active alert or rule has the label "severty". Did you mean'
    )
    assert subscribe(db, facts={})["hint"] is None


def test_a_refusal_repeats_no_secret(db: Connection) -> None:
    with refused(db, "document_refused") as problem:
        subscribe(db, facts={}, secret="whsec_TOPSECRET", url="http://ann:TOPSECRET@example.com/")

    assert "TOPSECRET" not in json.dumps(problem.params) + problem.hint + problem.message
