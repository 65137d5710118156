"""Senders that are bound to sources write as these alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Connection
from psycopg.types.json import Jsonb

from tests.sql.calls import (
    NOW,
    Json,
    ago,
    ask,
    fact,
    ingest_facts,
    ingest_metrics,
    metric,
    receipt,
    refused,
)

SOURCES = ("web", "db")


@contextmanager
def bound(conn: Connection, *sources: str) -> Iterator[None]:
    """Act as a sender that is bound to sources."""
    conn.execute("select set_config('supervisor.sources', %s, true)", ["\n".join(sources)])
    try:
        yield
    finally:
        conn.execute("select set_config('supervisor.sources', '', true)")


def register(conn: Connection, name: str, **members: object) -> Json:
    document = {"description": "Test", "version": "1.0.0", **members}
    answer: Json = ask(
        conn,
        "select answer from api.register_server(%s, %s, %s)",
        name,
        Jsonb(document),
        NOW,
    )
    return answer


def heartbeat(conn: Connection, *names: str) -> Json:
    answer: Json = ask(conn, "select api.heartbeat(%s, %s)", list(names), NOW)
    return answer


def report(conn: Connection, *servers: str, partial: bool = False) -> Json:
    items = [{"server": server, "status": "down"} for server in servers]
    answer: Json = ask(
        conn, "select api.report_health(%s, %s, null, %s)", Jsonb(items), partial, NOW
    )
    return answer


@pytest.fixture(params=["metrics", "facts"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def ingest(conn: Connection, kind: str, *sources: object, partial: bool = False) -> Json:
    make = metric if kind == "metrics" else fact
    items = [make(source=source, ts=ago(minutes=n)) for n, source in enumerate(sources)]
    return (ingest_metrics if kind == "metrics" else ingest_facts)(conn, items, partial=partial)


def test_a_bound_sender_writes_as_its_sources(db: Connection, kind: str) -> None:
    with bound(db, *SOURCES):
        assert ingest(db, kind, "web", "db", "web") == receipt(3)


def test_nothing_is_stored_when_an_item_is_of_another_source(db: Connection, kind: str) -> None:
    with bound(db, *SOURCES), refused(db, "source_of_key") as refusal:
        ingest(db, kind, "web", "crm")

    assert refusal.column == "source"
    assert refusal.params == {
        "sources": ["web", "db"],
        "items": [
            {
                "index": 1,
                "field": "source",
                "slug": "source_of_key",
                "detail": 'The source is "crm"; the credentials are bound to web, db.',
            }
        ],
    }
    assert ask(db, "select count(*) from data.sample") == 0


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        (("crm",), "the item is refused for its source; nothing was stored"),
        (("crm", "web"), "1 of 2 items is refused for its source; nothing was stored"),
        (("crm", "hr"), "2 of 2 items are refused, some for their source; nothing was stored"),
    ],
)
def test_items_of_other_sources_are_counted_in_a_sentence(
    db: Connection, sources: tuple[str, ...], said: str
) -> None:
    with bound(db, *SOURCES), refused(db, "source_of_key") as refusal:
        ingest(db, "metrics", *sources)
    assert refusal.message == said


def test_partial_keeps_the_items_of_its_own_sources(db: Connection, kind: str) -> None:
    with bound(db, "web"):
        answer = ingest(db, kind, "crm", "web", "web2", partial=True)

    assert answer["accepted"] == 1
    assert [(each["index"], each["slug"]) for each in answer["rejected"]] == [
        (0, "source_of_key"),
        (2, "source_of_key"),
    ]


def test_series_that_are_known_are_refused_too(db: Connection, kind: str) -> None:
    ingest(db, kind, "web", "crm")

    with bound(db, "web"), refused(db, "source_of_key"):
        ingest(db, kind, "web", "web", "crm")


def test_other_faults_are_named_beside_the_source(db: Connection, kind: str) -> None:
    with bound(db, "web"), refused(db, "source_of_key") as refusal:
        ingest(db, kind, "crm", 7, None)

    assert {(each["index"], each["slug"]) for each in refusal.params["items"]} == {
        (0, "source_of_key"),
        (1, "source_of_key"),
        (1, "source_name_well_formed"),
        (2, "source_name_well_formed"),
    }


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    sent=st.lists(
        st.sampled_from(["web", "db", "we", "web ", "WEB", "web\n", "*", ""]), min_size=1
    ),
    held=st.sets(st.sampled_from(["web", "db", "we"]), min_size=1),
)
def test_exactly_the_items_of_other_sources_are_refused(
    db: Connection, sent: list[str], held: set[str]
) -> None:
    with bound(db, *held), db.transaction(force_rollback=True):
        answer = ingest(db, "facts", *sent, partial=True)

    refused_at = {each["index"] for each in answer["rejected"]}
    assert refused_at == {n for n, source in enumerate(sent) if source not in held}


def test_a_bound_sender_registers_a_server_of_its_source(db: Connection) -> None:
    with bound(db, "web"):
        assert register(db, "acme/web", source="web")["outcome"] == "created"
        assert register(db, "acme/web", version="1.1.0")["outcome"] == "changed"
        assert heartbeat(db, "acme/web")["renewed"] == 1
        assert report(db, "acme/web")["accepted"] == 1


def test_facts_about_a_version_are_not_of_the_bound_source(db: Connection) -> None:
    with bound(db, "web"):
        register(db, "acme/web", source="web")
        register(db, "acme/web", version="1.1.0")
        assert ask(db, "select current_setting('supervisor.sources')") == "web"

    assert ask(db, "select count(*) from data.fact") == 1


@pytest.mark.parametrize("members", [{}, {"source": "crm"}])
def test_a_bound_sender_registers_no_server_of_another_source(
    db: Connection, members: dict[str, Any]
) -> None:
    with bound(db, "web"), refused(db, "source_of_key") as refusal:
        register(db, "acme/crm", **members)

    assert refusal.params == {"sources": ["web"]}
    assert ask(db, "select count(*) from data.server") == 0


@pytest.mark.parametrize("members", [{}, {"source": "crm"}])
def test_a_bound_sender_does_not_take_over_a_server(
    db: Connection, members: dict[str, Any]
) -> None:
    register(db, "acme/crm", **members)

    with bound(db, "web"), refused(db, "source_of_key"):
        register(db, "acme/crm", source="web")


def test_a_bound_sender_gives_no_server_away(db: Connection) -> None:
    register(db, "acme/web", source="web")

    with bound(db, "web"), refused(db, "source_of_key"):
        register(db, "acme/web", source="crm")


def test_a_bound_sender_speaks_for_no_server_of_another_source(db: Connection) -> None:
    register(db, "acme/web", source="web")
    register(db, "acme/crm", source="crm")

    with bound(db, "web"):
        with refused(db, "source_of_key"):
            heartbeat(db, "acme/web", "acme/crm")
        with refused(db, "source_of_key") as refusal:
            report(db, "acme/web", "acme/crm")
        with refused(db, "source_of_key"):
            ask(db, "select api.deregister_server('acme/crm', null, %s)", NOW)

    assert [(each["index"], each["field"]) for each in refusal.params["items"]] == [(1, "server")]
    assert ask(db, "select count(*) from data.health_report") == 0


def test_a_report_about_a_server_without_a_source_is_refused(db: Connection) -> None:
    register(db, "acme/bare")

    with bound(db, "web"):
        answer = report(db, "acme/bare", partial=True)

    assert [each["slug"] for each in answer["rejected"]] == ["source_of_key"]


def test_a_server_that_nobody_knows_is_unknown_to_a_bound_sender_too(db: Connection) -> None:
    with bound(db, "web"), refused(db, "server_unknown"):
        heartbeat(db, "acme/none")


def test_only_the_servers_that_are_named_and_registered_are_compared_with_the_sources(
    db: Connection,
) -> None:
    for name, source in (("acme/web", "web"), ("acme/db", "crm"), ("acme/crm", "crm")):
        register(db, name, source=source)
    register(db, "acme/gone", source="crm")
    db.execute("update data.server set deregistered_at = %s where name = 'acme/gone'", [NOW])

    with bound(db, "web"):
        assert heartbeat(db, "acme/web") == {"renewed": 1, "unknown": []}
        assert heartbeat(db, "acme/web", "acme/gone") == {"renewed": 1, "unknown": ["acme/gone"]}
        with refused(db, "source_of_key") as refusal:
            heartbeat(db, "acme/db", "acme/crm")

    assert refusal.message.startswith('server "acme/crm" has the source "crm"')
