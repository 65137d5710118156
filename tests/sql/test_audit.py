"""The audit: what is recorded of a change, and by whom."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import combinations
from typing import Any

import pytest
from psycopg import Connection

from tests.sql.alert_rules import condition, define, delete
from tests.sql.audit import events, list_audit, settle
from tests.sql.calls import NOW, Json, ask, ingest_metrics, metric, refused
from tests.sql.deliveries import subscribe
from tests.sql.kpis import define as define_kpi
from tests.sql.kpis import known, kpi
from tests.sql.registry import NAME, register, server_json
from tests.sql.test_keys import authenticate, create, revoke, rotate
from tests.sql.test_silences import cancel, silence


def acting_as(db: Connection, actor: str, namespace: str = "") -> None:
    db.execute("select set_config('supervisor.actor', %s, true)", [actor])
    db.execute("select set_config('supervisor.namespace', %s, true)", [namespace])


def rule(threshold: float) -> Json:
    return {"author": "ann", "condition": condition(threshold=threshold)}


def test_a_change_is_recorded_with_who_made_it_and_what_it_was_before(db: Connection) -> None:
    acting_as(db, "ann")
    silence(db)
    first = events(db)
    acting_as(db, "bob")
    cancel(db)
    second = events(db)

    assert [
        (e["number"], e["actor"], e["action"], e["object_type"], e["object_name"]) for e in first
    ] == [(1, "ann", "insert", "silence", "a")]
    assert first[0]["changes"]["comment"] == {"new": "update"}
    (event,) = second
    assert (event["actor"], event["action"]) == ("bob", "update")
    assert event["changes"].keys() == {"comment", "cancelled_at"}
    assert event["changes"]["comment"] == {"old": "update", "new": "done"}
    assert event["changes"]["cancelled_at"].keys() == {"new"}


def test_without_an_identity_the_actor_is_the_login(db: Connection) -> None:
    silence(db)

    assert [event["actor"] for event in events(db)] == [ask(db, "select session_user")]


def test_what_changes_nothing_is_not_recorded(db: Connection) -> None:
    ingest_metrics(db, metric())
    silence(db)
    define(db, rule(90))
    register(db, server_json())
    subscribe(db, alerts={})
    events(db)
    silence(db)
    define(db, rule(90))
    register(db, server_json())
    subscribe(db, alerts={})

    assert events(db) == []


def test_versions_of_a_rule_are_recorded_by_their_differences(db: Connection) -> None:
    ingest_metrics(db, metric())
    define(db, rule(90))
    (created,) = events(db)
    define(db, rule(80))
    (changed,) = events(db)
    delete(db, now=NOW + timedelta(hours=1))
    (deleted,) = events(db)
    define(db, rule(80), now=NOW + timedelta(hours=2))
    restored = events(db)

    assert created["action"] == "insert"
    assert created["object_type"] == "alert_rule"
    assert changed["action"] == "update"
    assert changed["changes"].keys() == {"condition"}
    assert changed["changes"]["condition"]["old"]["threshold"] == 90
    assert changed["changes"]["condition"]["new"]["threshold"] == 80
    assert deleted["changes"]["deleted_by"] == {"new": "bob"}
    assert restored[-1]["changes"]["deleted_by"] == {"old": "bob"}


def test_a_version_is_compared_with_the_one_before_it(db: Connection) -> None:
    ingest_metrics(db, metric())
    for threshold in (90, 80):
        define(db, rule(threshold))
    events(db)
    define(db, rule(70))

    (changed,) = events(db)
    assert changed["changes"]["condition"]["old"]["threshold"] == 80


def test_versions_of_several_objects_are_each_compared_with_the_one_before(
    db: Connection,
) -> None:
    known(db)
    events(db)
    for number in range(1, 5):
        for offset, name in ((0, "a"), (10, "b")):
            now = NOW + timedelta(minutes=2 * number + offset)
            define(db, rule(number + offset), name, now=now)
            define_kpi(db, kpi(target=number + offset), name, now=now)
            register(db, server_json(str(number + offset)), f"acme/{name}", now=now)
            found = events(db)
            former = [
                each["changes"][member].get("old")
                for member in ("condition", "target", "version")
                for each in found
                if member in each["changes"]
            ]
            if number == 1:
                assert former == [None] * 3
            else:
                assert former[0]["threshold"] == number + offset - 1
                assert former[1:] == [number + offset - 1, str(number + offset - 1)]


def test_maintenance_is_compared_with_what_was_planned_for_the_same_server(
    db: Connection,
) -> None:
    names = ["acme/a", "acme/b"]
    for name in names:
        register(db, server_json(), name)
    statement = "select api.plan_maintenance(%s, %s, %s, %s, 'ann', %s, null, %s)"
    begin, end = NOW + timedelta(hours=1), NOW + timedelta(hours=2)
    seen = []
    for number in range(3):
        now = NOW + timedelta(minutes=number)
        for plan, servers in (("one", names), ("two", names[:1])):
            ask(db, statement, plan, servers, begin, end, f"{plan} {number}", now)
            seen += [
                (event["object_name"], event["changes"]["server"], event["changes"]["reason"])
                for event in events(db)
                if event["object_type"] == "maintenance"
            ]

    wanted = [
        (
            plan,
            name,
            {"new": f"{plan} {number}"} | ({"old": f"{plan} {number - 1}"} if number else {}),
        )
        for number in range(3)
        for plan, name in (("one", names[0]), ("one", names[1]), ("two", names[0]))
    ]
    assert sorted(seen, key=str) == sorted(wanted, key=str)


def test_registrations_are_recorded(db: Connection) -> None:
    register(db, server_json(owner="ann", capabilities={"tools": [{"name": "find"}]}))
    created = events(db)
    register(db, server_json("2.0.0", owner="ann", tier="1"))
    changed = events(db)
    ask(db, "select api.deregister_server(%s, 'ann', %s)", NAME, NOW + timedelta(hours=1))
    (ended,) = events(db)

    assert {(e["object_type"], e["object_name"]) for e in created} == {("server", NAME)}
    merged: Json = {}
    for event in changed:
        merged |= event["changes"]
    assert merged == {
        "tier": {"new": "1"},
        "version": {"old": "1.0.0", "new": "2.0.0"},
    }
    assert "deregistered_at" in ended["changes"]


def test_maintenance_is_recorded_with_its_server_and_its_cancellation(db: Connection) -> None:
    register(db, server_json())
    events(db)
    statement = "select api.plan_maintenance('m', %s, %s, %s, 'ann', %s, %s, %s)"
    begin, end = NOW + timedelta(hours=1), NOW + timedelta(hours=2)
    ask(db, statement, [NAME], begin, end, "disk", None, NOW)
    (planned,) = events(db)
    ask(db, statement, [NAME], begin, end, "fan", None, NOW + timedelta(minutes=1))
    (changed,) = events(db)
    ask(db, statement, None, None, None, "no", True, NOW + timedelta(minutes=2))
    (cancelled,) = events(db)

    assert planned["action"] == "insert"
    assert planned["changes"]["server"] == NAME
    assert changed["changes"] == {"server": NAME, "reason": {"old": "disk", "new": "fan"}}
    assert cancelled["changes"] == {
        "server": NAME,
        "cancelled": {"new": True},
        "cancelled_by": {"new": "ann"},
        "cancelled_reason": {"new": "no"},
    }


def test_no_secret_is_recorded(db: Connection) -> None:
    secret = "whsec_" + "bWFya2VkLXNlY3JldC1vZi0yNC1ieXRlcw=="
    subscribe(db, url="https://hooks.example.com/marked-path", secret=secret, alerts={})
    (created,) = events(db)
    subscribe(db, url="https://hooks.example.com/other-marked-path", secret=secret, alerts={})
    (changed,) = events(db)
    ask(db, "select api.unsubscribe('pager', %s)", NOW)
    (deleted,) = events(db)

    assert changed["changes"] == {"url": {}}
    assert deleted["action"] == "delete"
    for event in (created, changed, deleted):
        assert event["changes"]["url"] == {}
        assert "marked" not in str(event)
        assert secret not in str(event)


def test_what_becomes_of_a_key_is_recorded_without_its_digest(db: Connection) -> None:
    digest = b"marked-digest-of-thirty-two-byte"
    acting_as(db, "ann")
    create(db, owner="bob", digest=digest)
    (created,) = events(db)
    rotate(db, "aaaaaaaa", "bbbbbbbb", digest=digest[::-1])
    rotated = events(db)
    revoke(db, "bbbbbbbb", "leaked", now=NOW + timedelta(hours=1))
    (revoked,) = events(db)
    db.execute("update data.api_key set digest = sha256('') where key_id = 'bbbbbbbb'")
    (replaced,) = events(db)

    assert (created["actor"], created["action"], created["object_name"]) == (
        "ann",
        "insert",
        "aaaaaaaa",
    )
    assert created["changes"]["owner"] == {"new": "bob"}
    assert created["changes"]["digest"] == {}
    assert {event["object_name"] for event in rotated} == {"aaaaaaaa", "bbbbbbbb"}
    assert revoked["changes"].keys() == {"revoked_at", "revoked_by", "reason"}
    assert replaced["changes"] == {"digest": {}}
    for event in (created, *rotated, revoked, replaced):
        for secret in (digest, digest[::-1]):
            assert secret.hex() not in str(event)


def test_a_key_that_is_used_is_not_recorded(db: Connection) -> None:
    create(db)
    events(db)
    authenticate(db)
    uses = '[{"id": "aaaaaaaa", "used_at": "2025-06-15T12:00:00Z"}]'
    assert ask(db, "select api.record_key_use(%s)", uses) == 1

    assert events(db) == []


@pytest.mark.parametrize(
    "table",
    [
        *("every_server", "server_version", "every_alert_rule", "alert_rule_version"),
        *("every_kpi", "kpi_version"),
        *("every_silence", "every_maintenance", "every_subscription", "quota", "api_key"),
    ],
)
def test_a_table_of_what_clients_and_administrators_set_has_the_trigger(
    db: Connection, table: str
) -> None:
    triggers = "select tgdeferrable and tginitdeferred from pg_trigger where tgname = 'audited'"
    assert ask(db, f"{triggers} and tgrelid = 'data.{table}'::regclass") is True


def test_quotas_are_recorded_and_their_use_is_not(db: Connection) -> None:
    db.execute("update data.quota set value = 7 where name = 'series'")
    (event,) = events(db)
    ingest_metrics(db, metric())

    assert event["object_type"] == "quota"
    assert event["changes"]["value"]["new"] == 7
    assert events(db) == []


def test_events_are_listed_newest_first_by_filters(db: Connection) -> None:
    acting_as(db, "ann")
    silence(db, "a")
    silence(db, "b")
    settle(db)
    acting_as(db, "bob")
    silence(db, "b", comment="again")
    settle(db)
    numbers = [event["number"] for event in list_audit(db)["items"]]

    def found(**filters: Any) -> list[int]:
        return [event["number"] for event in list_audit(db, **filters)["items"]]

    assert numbers == [3, 2, 1]
    assert found(actor="ann") == [2, 1]
    assert found(action="update") == [3]
    assert found(object_type="silence", object_name="b") == [3, 2]
    assert found(object_type="server") == []
    later = ask(db, "select max(at) from data.audit_event")
    assert found(from_=later) == [3]
    assert found(to=later) == [2, 1]


def test_pages_follow_each_other(db: Connection) -> None:
    for number in range(5):
        silence(db, f"s{number}")
    settle(db)
    found: list[int] = []
    cursor = None
    while True:
        page = list_audit(db, limit=2, cursor=cursor)
        found += [event["number"] for event in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert found == [5, 4, 3, 2, 1]


RECORDED = """
insert into data.audit_event
select
    row_number() over (), %s + row_number() over () * interval '1 minute',
    actor, '', action, type, name, '{}', '', sha256('')
from unnest('{ann,bob}'::text[]) as actor
cross join unnest('{insert,update}'::text[]) as action
cross join unnest('{silence,server}'::text[]) as type
cross join unnest('{a,b}'::text[]) as name
"""
ASKED: dict[str, Any] = {
    "actor": "ann",
    "action": "update",
    "object_type": "server",
    "object_name": "b",
    "from_": NOW + timedelta(minutes=4),
    "to": NOW + timedelta(minutes=15),
}


@pytest.mark.parametrize("count", range(len(ASKED) + 1))
def test_events_have_everything_that_is_asked_for(db: Connection, count: int) -> None:
    db.execute(RECORDED, [NOW])
    everything = list_audit(db)["items"]
    assert len(everything) == 16

    for names in combinations(ASKED, count):
        wanted = [
            event
            for event in everything
            if all(event[name] == ASKED[name] for name in names if name not in {"from_", "to"})
            and ("from_" not in names or datetime.fromisoformat(event["at"]) >= ASKED["from_"])
            and ("to" not in names or datetime.fromisoformat(event["at"]) < ASKED["to"])
        ]
        found = list_audit(db, **{name: ASKED[name] for name in names})["items"]
        assert found == wanted, names


def test_a_page_of_events_is_a_hundred_by_default_and_the_last_one_has_no_cursor(
    db: Connection,
) -> None:
    assert list_audit(db) == {"items": [], "next_cursor": None}
    db.execute(
        "insert into data.audit_event select"
        " n, %s, 'ann', '', 'insert', 'server', 'a', '{}', '', sha256('')"
        " from generate_series(1, 112) as n",
        [NOW],
    )

    page = list_audit(db)
    assert [event["number"] for event in page["items"]] == list(range(112, 12, -1))
    with refused(db, "limit_in_range"):
        list_audit(db, limit=1001)
    rest = list_audit(db, cursor=page["next_cursor"], limit=12)
    assert [event["number"] for event in rest["items"]] == list(range(12, 0, -1))
    assert rest["next_cursor"] is None


def test_a_namespace_sees_its_own_events_and_the_default_one_all(db: Connection) -> None:
    acting_as(db, "ann", "shop")
    silence(db, "a")
    settle(db)
    acting_as(db, "bob", "bank")
    silence(db, "b")
    settle(db)

    assert [event["actor"] for event in list_audit(db)["items"]] == ["bob"]
    acting_as(db, "eve")
    assert [event["actor"] for event in list_audit(db)["items"]] == ["bob", "ann"]


def test_a_namespace_sees_what_others_change_in_it(db: Connection) -> None:
    acting_as(db, "ann", "shop")
    silence(db, "a")
    settle(db)
    acting_as(db, "dba")
    db.execute("update data.every_silence set comment = 'shorter'")
    settle(db)

    acting_as(db, "ann", "shop")
    assert [(event["actor"], event["action"]) for event in list_audit(db)["items"]] == [
        ("dba", "update"),
        ("ann", "insert"),
    ]


@pytest.mark.parametrize(
    ("filters", "slug"),
    [
        ({"limit": 1001}, "limit_in_range"),
        ({"cursor": "x"}, "cursor_invalid"),
        ({"from_": NOW, "to": NOW}, "from_before_to"),
    ],
)
def test_a_bad_question_is_refused(db: Connection, filters: Any, slug: str) -> None:
    with refused(db, slug):
        list_audit(db, **filters)
