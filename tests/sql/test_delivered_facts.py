"""Facts that subscriptions are sent: those that match, once, in the order of their arrival."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from psycopg import Connection
from psycopg.types.json import Jsonb

from tests.sql.calls import NOW, Item, Json, ago, ask, fact, ingest_facts, query_facts

KINDS = ["Fact:Deal", "Fact:Sale"]
SOURCES = ["crm", "web"]
NAMES = {
    (kind, source): f"{name}{source}"
    for (name, kind), source in product(zip("zb", KINDS, strict=True), SOURCES)
}
# The later ones are of earlier times, and their names of no order.
FACTS: list[Item] = [
    fact(kind, source, fact_id=name, value=n, subject="s", ts=ago(minutes=n), payload={"n": n})
    for n, ((kind, source), name) in enumerate(NAMES.items(), start=1)
]


def subscribe(conn: Connection, name: str, **document: object) -> None:
    sent = Jsonb({"author": "ann", "url": f"https://{name}.example.com/", **document})
    ask(conn, "select api.subscribe(%s, %s, %s)", name, sent, NOW)


def taken(conn: Connection) -> dict[str, list[Json]]:
    """The facts of each subscription that is sent any."""
    deliveries: list[Json] = ask(conn, "select api.take_deliveries(100, %s)", NOW)
    return {each["url"]: each["payload"]["facts"] for each in deliveries}


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("kinds", [None, KINDS[:1], KINDS[1:], KINDS])
@pytest.mark.parametrize("sources", [None, SOURCES[:1], SOURCES])
def test_a_subscription_is_sent_the_facts_of_its_kinds_and_sources(
    db: Connection, known: bool, kinds: list[str] | None, sources: list[str] | None
) -> None:
    if known:
        ingest_facts(db, [{**item, "fact_id": f"{item['fact_id']}-before"} for item in FACTS])
    asked = {"kinds": kinds, "sources": sources}
    subscribe(db, "some", facts={name: names for name, names in asked.items() if names})
    subscribe(db, "alerts", alerts={})
    subscribe(db, "disabled", facts={}, enabled=False)

    ingest_facts(db, FACTS)

    wanted = [
        item["fact_id"]
        for item in FACTS
        if item["kind"] in (kinds or KINDS) and item["source"] in (sources or SOURCES)
    ]
    found = taken(db)
    assert list(found) == ["https://some.example.com/"]
    (facts,) = found.values()
    assert [item["fact_id"] for item in facts] == wanted


def test_a_fact_is_sent_as_it_is_listed(db: Connection) -> None:
    subscribe(db, "all", facts={})
    ingest_facts(db, FACTS)

    (facts,) = taken(db).values()
    listed: dict[str, Any] = {item["fact_id"]: item for item in query_facts(db)["items"]}
    assert facts == [listed[item["fact_id"]] for item in facts]
