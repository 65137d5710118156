"""The list of servers: filters, search, pages."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from psycopg import Connection

from tests.sql.calls import NOW, Json, ask, refused
from tests.sql.registry import (
    NAME,
    deregister,
    get_server,
    list_servers,
    register,
    server_json,
)
from tests.sql.reports import add_server, at, record
from tests.sql.test_heartbeat import heartbeat


def names(page: Json) -> list[str]:
    return [item["name"] for item in page["items"]]


@pytest.fixture
def registry(db: Connection) -> Connection:
    """Four servers, of which one is deregistered."""
    register(
        db, server_json("1.2.0", title="Shop search", tags=["shop"], tier="gold"), "acme/search"
    )
    register(db, server_json(description="Sends mail", tags=["mail", "shop"]), "acme/mail")
    register(db, server_json(description="100% of_it", status="deprecated"), "old")
    register(db, server_json(description="Gone"), "gone")
    deregister(db, "gone")
    return db


def test_servers_are_listed_by_name_without_deregistered_ones(registry: Connection) -> None:
    page = list_servers(registry)
    assert names(page) == ["acme/mail", "acme/search", "old"]
    assert page["next_cursor"] is None
    assert page["items"][1] == {
        "name": "acme/search",
        "title": "Shop search",
        "description": "Searches the shop",
        "version": "1.2.0",
        "status": "active",
        "health": "unknown",
        "last_seen": None,
        "tier": "gold",
        "tags": ["shop"],
        "owner": None,
        "source": None,
    }


def test_an_empty_registry_is_an_empty_list(db: Connection) -> None:
    assert list_servers(db) == {"items": [], "next_cursor": None}


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"status": "active"}, ["acme/mail", "acme/search"]),
        ({"status": "deprecated"}, ["old"]),
        ({"status": "deregistered"}, ["gone"]),
        ({"tag": "shop"}, ["acme/mail", "acme/search"]),
        ({"tag": "mail"}, ["acme/mail"]),
        ({"tag": "sho"}, []),
        ({"health": "unknown"}, ["acme/mail", "acme/search", "old"]),
        ({"health": "up"}, []),
        ({"q": "SEARCH"}, ["acme/search"]),
        ({"q": "sends"}, ["acme/mail"]),
        ({"q": "acme/"}, ["acme/mail", "acme/search"]),
        ({"q": "seach"}, ["acme/search"]),
        ({"q": "100%"}, ["old"]),
        ({"q": "f_i"}, ["old"]),
        ({"q": "xyzzy"}, []),
        ({"q": "shop", "tag": "mail"}, []),
    ],
)
def test_filters_narrow_the_list(
    registry: Connection, filters: dict[str, str], expected: list[str]
) -> None:
    assert names(list_servers(registry, **filters)) == expected


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_pages_lead_through_the_whole_list(registry: Connection, limit: int) -> None:
    found: list[str] = []
    cursor = None
    while True:
        page = list_servers(registry, limit=limit, cursor=cursor)
        assert len(page["items"]) <= limit
        found += names(page)
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == ["acme/mail", "acme/search", "old"]


@pytest.mark.parametrize("limit", [3, 4])
def test_a_page_that_holds_the_rest_is_the_last_one(registry: Connection, limit: int) -> None:
    assert list_servers(registry, limit=limit)["next_cursor"] is None


def test_a_page_has_100_servers_by_name_where_no_limit_is_sent(db: Connection) -> None:
    add_server(db, "s100")
    # Not in the order of their names.
    db.execute(
        "insert into data.server (name, status, tags, keepalive_seconds, failures_to_down,"
        " successes_to_recover, sla_target, probe, registered_at, updated_at)"
        " select format('s0%s', lpad((n * 37 % 100)::text, 2, '0')), status, tags,"
        " keepalive_seconds, failures_to_down, successes_to_recover, sla_target, probe,"
        " registered_at, updated_at from data.server cross join generate_series(0, 99) as n"
    )

    page = list_servers(db)
    assert names(page) == [f"s{n:03}" for n in range(100)]
    assert names(list_servers(db, cursor=page["next_cursor"])) == ["s100"]
    assert len(list_servers(db, limit=1000)["items"]) == 101


def test_the_newest_version_of_a_server_is_listed_and_searched(db: Connection) -> None:
    for minute, (version, title) in enumerate([("1", "Oldest"), ("2", "Middle"), ("3", "Newest")]):
        document = server_json(version, title=title)
        register(db, document, now=NOW - timedelta(minutes=9 - minute))

    (item,) = list_servers(db)["items"]
    assert (item["version"], item["title"]) == ("3", "Newest")
    assert names(list_servers(db, q="newest")) == [NAME]
    assert names(list_servers(db, q="oldest")) == []


def test_a_deregistered_server_has_no_health_to_ask_for(registry: Connection) -> None:
    assert names(list_servers(registry, status="deregistered", health="unknown")) == []


@pytest.mark.parametrize(
    ("filters", "slug"),
    [
        ({"status": "gone"}, "server_status_known"),
        ({"health": "ok"}, "health_known"),
        ({"limit": 0}, "limit_in_range"),
        ({"limit": 1001}, "limit_in_range"),
        ({"cursor": "x"}, "cursor_invalid"),
    ],
)
def test_a_bad_argument_is_refused(db: Connection, filters: dict[str, object], slug: str) -> None:
    with refused(db, slug):
        list_servers(db, **filters)


@pytest.mark.parametrize("name", ["status", "health"])
def test_an_argument_that_is_refused_is_shown_in_part(db: Connection, name: str) -> None:
    with refused(db, f"{'server_' if name == 'status' else ''}{name}_known") as refusal:
        list_servers(db, **{name: "x" * 101})
    assert refusal.message == f'unknown {name} "{"x" * 100}"'


def test_a_name_is_found_by_its_first_character(db: Connection) -> None:
    # Which is no part of a word.
    register(db, server_json(), "-/_")

    assert names(list_servers(db, q="-")) == ["-/_"]


def test_the_health_of_a_server_is_the_worst_of_its_signals(registry: Connection) -> None:
    add_state(registry, "acme/mail", "probe", "up")
    add_state(registry, "acme/mail", "report", "down")
    add_state(registry, "acme/search", "probe", "degraded")
    assert names(list_servers(registry, health="down")) == ["acme/mail"]
    assert names(list_servers(registry, health="degraded")) == ["acme/search"]


def test_the_entry_of_a_server_has_its_health(registry: Connection) -> None:
    add_state(registry, "acme/mail", "probe", "degraded")
    health = get_server(registry, "acme/mail")["health"]
    assert health["status"] == "degraded"
    assert datetime.fromisoformat(health["last_seen"]) == NOW
    unknown = get_server(registry, "acme/search")["health"]
    assert (unknown["status"], unknown["last_seen"]) == ("unknown", None)


def test_a_server_is_seen_when_a_signal_is_up_or_degraded(db: Connection) -> None:
    register(db, server_json(), now=at(0))
    server = ask(db, "select server_id from data.server")
    record(db, server, [(0, "up"), (10, "degraded"), (20, "down")], now=NOW)
    record(db, server, [(30, "down")], now=NOW)
    assert seen(db) == [at(10), at(10)]

    heartbeat(db, [NAME], at(40))
    assert seen(db) == [at(40), at(40)]


def seen(conn: Connection) -> list[datetime]:
    """When a server was seen last, as its entry and as the list say."""
    (item,) = list_servers(conn)["items"]
    health = get_server(conn)["health"]
    return [datetime.fromisoformat(each["last_seen"]) for each in (health, item)]


def test_a_deregistered_server_has_a_status_and_no_health(db: Connection) -> None:
    register(db, server_json())
    deregister(db)
    (item,) = list_servers(db, status="deregistered")["items"]
    entry = get_server(db)

    assert (item["status"], item["health"]) == ("deregistered", None)
    assert (entry["status"], entry["health"]) == ("deregistered", None)
    assert ask(db, "select status from analytics.mcp_registry") == "deregistered"


def test_as_of_before_the_registration_is_refused_with_its_time(db: Connection) -> None:
    register(db, server_json())
    with refused(db, "server_not_registered_yet") as refusal:
        get_server(db, as_of=NOW - timedelta(seconds=1))

    assert datetime.fromisoformat(refusal.params["registered_at"]) == NOW
    assert get_server(db, as_of=NOW)["version"] == "1.0.0"


def add_state(conn: Connection, name: str, signal: str, status: str) -> None:
    """A signal of a server at NOW, while the service runs."""
    conn.execute(
        "insert into data.service_uptime select tstzrange(%s, %s)"
        " where not exists (select from data.service_uptime)",
        [NOW - timedelta(hours=1), NOW],
    )
    conn.execute(
        "insert into data.health_state"
        " (server_id, signal, status, since, last_at, seen_at, expires_at, recent)"
        " select server_id, %s, %s, %s, %s, %s, %s, '{}' from data.server where name = %s",
        [signal, status, NOW, NOW, NOW, NOW + timedelta(hours=1), name],
    )
