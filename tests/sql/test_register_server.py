"""Registration: what is refused, what is kept, who may change an entry, and the facts about it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from tests.sql.calls import NOW, ask, refused
from tests.sql.registry import (
    NAME,
    change_facts,
    deregister,
    get_server,
    register,
    server_json,
    tools,
)
from tests.sql.test_concurrency import SESSIONS, at_once

FULL = server_json(
    title="Search",
    websiteUrl="https://acme.example/search",
    repository={"url": "https://github.com/acme/search", "source": "github", "subfolder": "mcp"},
    icons=[{"src": "https://acme.example/icon.png", "sizes": ["48x48", "any"], "theme": "dark"}],
    packages=[
        {
            "registryType": "npm",
            "identifier": "@acme/search",
            "version": "1.0.0",
            "transport": {"type": "stdio"},
            "packageArguments": [
                {"type": "named", "name": "--port", "default": "80"},
                {"type": "positional", "valueHint": "path", "isRequired": True},
            ],
            "environmentVariables": [{"name": "KEY", "isSecret": True, "choices": ["a", "b"]}],
        },
        {
            "registryType": "oci",
            "identifier": "acme/search",
            "transport": {"type": "streamable-http", "url": "http://localhost:{port}/mcp"},
        },
    ],
    remotes=[
        {
            "type": "streamable-http",
            "url": "https://{tenant}.acme.example:8443/mcp?key={key}",
            "headers": [{"name": "Authorization", "value": "Bearer {key}", "isSecret": True}],
            "variables": {"key": {"isRequired": True}, "tenant": {"default": "eu"}},
        },
        {"type": "sse", "url": "{baseUrl}/sse"},
    ],
    _meta={"example.acme/build": {"commit": "abc", "anything": [1, None]}},
)
SETTINGS: dict[str, Any] = {
    "status": "deprecated",
    "owner": "acme",
    "tier": "gold",
    "tags": ["search", "shop"],
    "source": "search-mcp",
    "keepalive_seconds": 30,
    "failures_to_down": 5,
    "successes_to_recover": 1,
    "sla_target": 99.95,
    "probe": False,
}
CAPABILITIES = {
    "tools": [{"name": "find", "inputSchema": {"type": "object"}}],
    "resources": [{"name": "items", "uri": "shop://items"}],
    "prompts": [],
}
DEFAULTS: dict[str, Any] = {
    "status": "active",
    "owner": None,
    "tier": None,
    "tags": [],
    "source": None,
    "keepalive_seconds": 60,
    "failures_to_down": 3,
    "successes_to_recover": 2,
    "sla_target": 99.9,
    "probe": True,
}


def faults(conn: Connection, document: object, name: str = NAME) -> list[tuple[str, str]]:
    """Field and slug of every rule for which a document is refused."""
    with refused(conn, "document_refused") as refusal:
        register(conn, document, name)
    assert refusal.message.startswith("invalid ")
    assert refusal.hint.endswith(".")
    listed = refusal.params["faults"]
    assert all(fault["detail"].endswith((".", "/-")) for fault in listed)
    return [(fault["field"], fault["slug"]) for fault in listed]


def test_everything_that_a_server_json_has_is_kept(db: Connection) -> None:
    register(db, {**FULL, **SETTINGS, "capabilities": CAPABILITIES})
    server = get_server(db)
    assert server["document"] == {**FULL, "name": NAME}
    assert server["capabilities"] == CAPABILITIES
    assert {name: server[name] for name in SETTINGS} == SETTINGS


def test_what_is_left_out_has_a_default(db: Connection) -> None:
    answer = register(db, server_json())
    server = get_server(db)
    assert {name: server[name] for name in DEFAULTS} == DEFAULTS
    assert server["capabilities"] == {"tools": [], "resources": [], "prompts": []}
    assert answer["outcome"] == "created"
    assert datetime.fromisoformat(answer["registered_at"]) == NOW


def test_what_is_left_out_later_keeps_its_value_but_for_the_server_json(db: Connection) -> None:
    register(db, {**FULL, **SETTINGS, "capabilities": CAPABILITIES})
    register(db, server_json("1.0.0", owner="acme", tier="silver"))
    server = get_server(db)
    assert {name: server[name] for name in SETTINGS} == {**SETTINGS, "tier": "silver"}
    assert server["capabilities"] == CAPABILITIES
    assert server["document"] == {**server_json("1.0.0"), "name": NAME}


def test_a_name_is_once_in_its_list(db: Connection) -> None:
    named = [{"name": name} for name in ("b", "a", "b", "b")]
    capabilities = {"tools": named, "prompts": named[:2], "resources": named[1:3]}

    assert faults(db, server_json(capabilities=capabilities)) == [
        ("capabilities.tools[2].name", "names_once"),
        ("capabilities.tools[3].name", "names_once"),
    ]


def test_a_name_that_is_there_twice_is_shown_in_part(db: Connection) -> None:
    document = server_json(capabilities={"tools": [{"name": "x" * 101}] * 2})
    with refused(db, "document_refused") as refusal:
        register(db, document)

    (fault,) = refusal.params["faults"]
    assert fault["detail"] == f'"{"x" * 100}" is named before. Send every name once.'


REMOTE = {"type": "sse", "url": "https://a.example"}
PACKAGE = {"registryType": "npm", "identifier": "a", "transport": {"type": "stdio"}}


@pytest.mark.parametrize(
    ("field", "most", "made"),
    [
        ("tags", 32, lambda n: {"tags": [f"t{each}" for each in range(n)]}),
        ("remotes", 100, lambda n: {"remotes": [REMOTE] * n}),
        ("packages", 100, lambda n: {"packages": [PACKAGE] * n}),
        (
            "remotes[0].headers",
            200,
            lambda n: {"remotes": [{**REMOTE, "headers": [{"name": "a"}] * n}]},
        ),
        (
            "packages[0].runtimeArguments",
            200,
            lambda n: {
                "packages": [{**PACKAGE, "runtimeArguments": [{"type": "named", "name": "a"}] * n}]
            },
        ),
    ],
)
def test_a_list_has_as_many_items_as_its_schema_says(
    db: Connection, field: str, most: int, made: Callable[[int], dict[str, Any]]
) -> None:
    assert register(db, server_json(**made(most)))["outcome"] == "created"
    assert faults(db, server_json(**made(most + 1))) == [(field, "field_well_formed")]


def test_the_first_hundred_faults_are_listed_in_the_order_of_their_fields(db: Connection) -> None:
    fields = [f"x{n:03}" for n in range(101)]
    document = server_json() | dict.fromkeys(reversed(fields), 1)

    assert [field for field, _ in faults(db, document)] == fields[:100]


@pytest.mark.parametrize(
    ("name", "local"), [("search", True), (NAME, False), ("a/b", False), ("A-1._x", True)]
)
def test_a_name_without_a_slash_is_that_of_a_local_server(
    db: Connection, name: str, local: bool
) -> None:
    assert register(db, server_json(), name)["local"] is local
    assert get_server(db, name)["local"] is local


@pytest.mark.parametrize(
    "name", ["", "a/b/c", "a/", "/b", "a b", "a/b ", "io_x/b", "ä/b", "a/ä", "a" * 201]
)
def test_a_malformed_name_is_refused(db: Connection, name: str) -> None:
    assert faults(db, server_json(), name) == [("name", "field_well_formed")]


@pytest.mark.parametrize("name", [".", "..", "...", "a/.", "a/..", "./x", "../x"])
def test_a_name_that_a_path_cannot_have_is_refused(db: Connection, name: str) -> None:
    assert faults(db, server_json(), name) == [("name", "field_well_formed")]


@pytest.mark.parametrize("name", [".x", "..x", "a/.x", "a/x.", "-/_", ".a./..-"])
def test_a_dot_beside_other_characters_of_a_name_is_taken(db: Connection, name: str) -> None:
    assert register(db, server_json(), name)["outcome"] == "created"


def test_a_name_in_the_document_is_the_one_in_the_path(db: Connection) -> None:
    register(db, server_json(name=NAME))
    assert faults(db, server_json(name="a/b")) == [("name", "name_matches_path")]


@pytest.mark.parametrize("version", ["1.0.2", "2.1.0-alpha", "2025.12.11", "v3", "x1", "1-x-2"])
def test_an_exact_version_is_taken(db: Connection, version: str) -> None:
    assert register(db, server_json(version))["version"] == version


@pytest.mark.parametrize(
    "version",
    [
        *("^1.2.3", "~1.2.3", ">=1.2.3", "<2", "=1.0", "1.x", "1.X.2", "x", "1.*", "*"),
        *("1 || 2", "1, 2", "1.0 - 2.0", "", "1" * 256, "latest"),
    ],
)
def test_a_range_of_versions_is_refused(db: Connection, version: str) -> None:
    assert faults(db, server_json(version)) == [("version", "field_well_formed")]


@pytest.mark.parametrize(
    "url",
    [
        "https://acme.example",
        "http://localhost:5008/sse",
        "http://[::1]:80/",
        "https://acme.example:65535/mcp?a=b@c:99999#d",
        "https://{tenant}.example/mcp",
        "{base}/mcp",
    ],
)
def test_a_url_with_a_host_or_variables_is_taken(db: Connection, url: str) -> None:
    register(db, server_json(remotes=[{"type": "sse", "url": url}]))
    assert get_server(db)["document"]["remotes"][0]["url"] == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "acme.example",
        "ftp://acme.example",
        "https://",
        "https:///mcp",
        "https://:80/",
        "https://?a",
        "https://user@/mcp",
        "https://acme.example:65536/",
        "http://[::1]:123456",
        "https://acme.example/a b",
        "https://äcme.example/",
        "javascript:alert(1)",
        "{1}/mcp",
        "{}/mcp",
        "https://acme.example/" + "a" * 2000,
    ],
)
def test_a_url_that_leads_nowhere_is_refused_with_its_place(db: Connection, url: str) -> None:
    remotes = [{"type": "sse", "url": "https://a.example"}, {"type": "sse", "url": url}]
    assert faults(db, server_json(remotes=remotes)) == [("remotes[1].url", "field_well_formed")]


@pytest.mark.parametrize(
    "url", ["http://user:pw@acme.example/mcp", "https://key@acme.example", "{scheme}://a:b@c/"]
)
def test_credentials_in_a_url_are_refused(db: Connection, url: str) -> None:
    (fault,) = faults(db, server_json(remotes=[{"type": "sse", "url": url}]))
    assert fault == ("remotes[0].url", "field_well_formed")


def test_every_fault_is_reported_with_its_place(db: Connection) -> None:
    document = {
        "descripton": "d",
        "version": 1,
        "tags": ["good", "not good"],
        "sla_target": 100,
        "keepalive_seconds": 1.5,
        "probe": "yes",
        "repository": {"url": "x"},
        "packages": [{"registryType": "npm", "identifier": "a", "transport": {"type": "sse"}}],
        "remotes": [{"type": "http", "headers": [{}]}],
        "capabilities": {"tools": [{"name": "a"}, {"name": "a"}, {}], "roots": []},
    }
    assert faults(db, document) == [
        ("capabilities.roots", "field_known"),
        ("capabilities.tools[1].name", "names_once"),
        ("capabilities.tools[2].name", "field_required"),
        ("description", "field_required"),
        ("descripton", "field_known"),
        ("keepalive_seconds", "field_well_formed"),
        ("packages[0].transport", "field_well_formed"),
        ("probe", "field_well_formed"),
        ("remotes[0].headers[0].name", "field_required"),
        ("remotes[0].type", "field_well_formed"),
        ("remotes[0].url", "field_required"),
        ("repository.source", "field_required"),
        ("repository.url", "field_well_formed"),
        ("sla_target", "field_well_formed"),
        ("tags[1]", "field_well_formed"),
        ("version", "field_well_formed"),
    ]


def test_an_unknown_field_is_answered_with_the_nearest_and_the_known_ones(db: Connection) -> None:
    with refused(db, "document_refused") as refusal:
        register(db, server_json(website_url="https://a.example"))
    (fault,) = refusal.params["faults"]
    assert fault["detail"].startswith('Unknown field. Did you mean "websiteUrl"? The fields are ')


@pytest.mark.parametrize("document", [[], "text", 5, None])
def test_a_document_that_is_no_object_is_refused(db: Connection, document: object) -> None:
    assert faults(db, document) == [("", "field_well_formed")]


@pytest.mark.parametrize("sent", ["30", "30.0", "3e1"])
def test_a_whole_number_may_be_spelled_with_a_fraction(db: Connection, sent: str) -> None:
    document = json.dumps(server_json(keepalive_seconds=0)).replace(" 0}", f" {sent}}}")
    db.execute("select api.register_server(%s, %s::jsonb, %s)", [NAME, document, NOW])
    assert get_server(db)["keepalive_seconds"] == 30


@pytest.mark.parametrize("field", ["description", "version", "tags", "remotes", "owner", "_meta"])
def test_null_is_no_value(db: Connection, field: str) -> None:
    assert faults(db, server_json() | {field: None}) == [(field, "field_well_formed")]


def test_a_document_of_more_than_half_a_mebibyte_is_refused(db: Connection) -> None:
    document = server_json(_meta={"a": "x" * 524288})
    assert faults(db, document) == [("", "document_within_limit")]


def test_a_refused_registration_changes_nothing(db: Connection) -> None:
    register(db, server_json())
    before = get_server(db)
    faults(db, server_json("^2"))
    faults(db, server_json("^2"), "other")
    assert get_server(db) == before
    assert ask(db, "select count(*) from data.server") == 1


def test_the_same_registration_again_changes_nothing(db: Connection) -> None:
    document = {**FULL, **SETTINGS, "capabilities": CAPABILITIES}
    register(db, document)
    before = get_server(db)
    answer = register(db, document, now=NOW + timedelta(hours=1))
    assert answer["outcome"] == "unchanged"
    assert get_server(db) == before
    assert change_facts(db) == []


def test_only_the_owner_changes_or_ends_a_registration(db: Connection) -> None:
    register(db, server_json(owner="acme"))
    for document in (server_json("2.0.0"), server_json("2.0.0", owner="other")):
        with refused(db, "server_owned"):
            register(db, document)
    for owner in (None, "other"):
        with refused(db, "server_owned"):
            deregister(db, owner=owner)
    assert get_server(db)["version"] == "1.0.0"
    assert register(db, server_json("2.0.0", owner="acme"))["version"] == "2.0.0"
    assert deregister(db, owner="acme")["deregistered_at"]


@pytest.mark.parametrize("owner", ["", "a\nb", "a" * 201])
def test_an_owner_that_no_entry_can_have_ends_nothing(db: Connection, owner: str) -> None:
    register(db, server_json())
    with refused(db, "owner_well_formed"):
        deregister(db, owner=owner)


def test_an_entry_without_an_owner_can_get_one(db: Connection) -> None:
    register(db, server_json())
    register(db, server_json(owner="acme"))
    with refused(db, "server_owned"):
        register(db, server_json())


def test_a_new_version_is_a_fact(db: Connection) -> None:
    register(db, server_json("1.0.0"))
    answer = register(db, server_json("1.1.0"))
    assert (answer["previous_version"], answer["version"]) == ("1.0.0", "1.1.0")
    assert change_facts(db) == [("Fact:ServerVersionChanged", {"from": "1.0.0", "to": "1.1.0"})]


def test_changed_tools_are_a_fact_with_their_names(db: Connection) -> None:
    register(db, server_json(capabilities=tools("kept", "gone", changed="a")))
    answer = register(db, server_json(capabilities=tools("new", "kept", changed="b")))
    expected = {"added": ["new"], "removed": ["gone"], "changed": ["changed"]}
    assert answer["tools"] == expected
    assert change_facts(db) == [("Fact:ToolsChanged", expected)]


def test_another_order_of_tools_is_a_new_version_without_a_fact(db: Connection) -> None:
    register(db, server_json(capabilities=tools("a", "b")))
    register(db, server_json(capabilities=tools("b", "a")))
    assert len(get_server(db)["versions"]) == 2
    assert change_facts(db) == []


def test_names_of_changed_tools_that_a_fact_cannot_hold_are_counted(db: Connection) -> None:
    register(db, server_json())
    names = [f"{number:04}{'ä' * 190}" for number in range(400)]
    answer = register(db, server_json(capabilities=tools(*names)))
    ((_, payload),) = change_facts(db)
    assert payload == answer["tools"]
    assert len(payload["added"]) + payload["omitted"] == 400
    assert payload["added"] == names[: len(payload["added"])]


def test_a_change_names_the_kinds_of_its_facts_for_the_cache(db: Connection) -> None:
    register(db, server_json("1.0.0"))
    row = db.execute(
        "select kinds, change from api.register_server(%s, %s, %s)",
        [NAME, json.dumps(server_json("2.0.0", capabilities=tools("a"))), NOW],
    ).fetchone()
    assert row is not None
    assert sorted(row[0]) == ["Fact:ServerVersionChanged", "Fact:ToolsChanged"]
    assert row[1] > 0


def set_quota(conn: Connection, name: str, value: int) -> None:
    conn.execute("update data.quota set value = %s where name = %s", [value, name])


def test_a_server_above_the_quota_is_refused_and_known_ones_still_change(db: Connection) -> None:
    set_quota(db, "servers", 2)
    for name in ("a", "b"):
        register(db, server_json(), name)

    with refused(db, "count_within_quota") as refusal:
        register(db, server_json(), "c")
    assert refusal.message == "this would be 3 servers; the quota is 2"
    assert refusal.params == {"quota": "servers", "allowed": 2}
    assert "select ops.set_quota('servers', 4);" in refusal.hint
    assert register(db, server_json("2.0.0"), "b")["outcome"] == "changed"


def test_new_versions_of_a_server_are_limited_by_the_hour(db: Connection) -> None:
    set_quota(db, "new_versions_per_server_and_hour", 2)
    for version in ("1.0.0", "2.0.0"):
        register(db, server_json(version))

    with refused(db, "count_within_quota") as refusal:
        register(db, server_json("3.0.0"))
    assert refusal.params["retry_after_seconds"] == 3600
    assert register(db, server_json("2.0.0"))["outcome"] == "unchanged"
    assert register(db, server_json(), "another")["outcome"] == "created"
    later = NOW + timedelta(hours=1, seconds=1)
    assert register(db, server_json("3.0.0"), now=later)["outcome"] == "changed"


@pytest.mark.native_only("many sessions at once")
def test_the_same_server_registered_at_once_is_one_server(fresh_database: str) -> None:
    answers = at_once(
        fresh_database, lambda conn, number: register(conn, server_json(f"{number}.0"))
    )

    outcomes = [answer["outcome"] for answer in answers]
    assert (outcomes.count("created"), outcomes.count("changed")) == (1, SESSIONS - 1)
    with psycopg.connect(fresh_database) as conn:
        assert ask(conn, "select count(*) from data.server") == 1
        assert len(get_server(conn)["versions"]) == SESSIONS
