"""The catalogue of kinds."""

from __future__ import annotations

import pytest
from psycopg import Connection

from tests.sql.calls import Json, ask, fact, ingest_facts, ingest_metrics, metric, refused


def kinds(
    db: Connection,
    of_type: str | None = None,
    prefix: str | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Json:
    answer: Json = ask(db, "select api.list_kinds(%s, %s, %s, %s)", of_type, prefix, limit, cursor)
    return answer


def names(answer: Json) -> list[str]:
    return [item["kind"] for item in answer["items"]]


def test_a_kind_has_its_type_unit_sources_and_series(db: Connection) -> None:
    ingest_metrics(
        db,
        [
            metric(unit="s"),
            metric(source="db", labels={"a": "1"}),
            metric(source="db", labels={"a": "2"}),
        ],
    )

    (item,) = kinds(db)["items"]
    assert [item[key] for key in ("kind", "type", "unit", "sources", "series")] == [
        "cpu",
        "gauge",
        "s",
        2,
        3,
    ]


def test_types_and_prefixes_narrow_the_list(db: Connection) -> None:
    ingest_metrics(db, [metric("a.x"), metric("a.y", type="counter"), metric("b_")])
    ingest_facts(db, fact())

    assert names(kinds(db, "counter")) == ["a.y"]
    assert names(kinds(db, "fact")) == ["Fact:Deal"]
    assert names(kinds(db, prefix="a.")) == ["a.x", "a.y"]
    assert names(kinds(db, prefix="%")) == []
    with refused(db, "kind_type_known") as refusal:
        kinds(db, "x" * 101)
    assert refusal.message == f'unknown type "{"x" * 100}"'


def test_pages_give_every_kind_once(db: Connection) -> None:
    sent = sorted(f"{letter}{n}" for letter in "aB_z" for n in range(5))
    ingest_metrics(db, [metric(name) for name in sent])

    seen: list[str] = []
    cursor = None
    while True:
        page = kinds(db, limit=3, cursor=cursor)
        seen += names(page)
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert sorted(seen) == sent


def test_a_page_that_holds_the_rest_is_the_last_one(db: Connection) -> None:
    ingest_metrics(db, [metric(name) for name in "ab"])

    for limit in (2, 3):
        assert kinds(db, limit=limit)["next_cursor"] is None
    page = kinds(db, limit=1)
    assert names(page) == ["a"]
    assert names(kinds(db, limit=1, cursor=page["next_cursor"])) == ["b"]


def test_a_page_has_100_kinds_in_order_where_no_limit_is_sent(db: Connection) -> None:
    sent = [f"k{n:03}" for n in range(101)]
    ingest_metrics(db, [metric(name) for name in reversed(sent)])

    page = kinds(db)
    assert names(page) == sent[:100]
    assert names(kinds(db, cursor=page["next_cursor"])) == sent[100:]
    assert len(kinds(db, limit=1000)["items"]) == 101


@pytest.mark.parametrize("cursor", ["", "a", "cpu", "61", "30" * 20])
def test_an_unknown_cursor_is_refused(db: Connection, cursor: str) -> None:
    ingest_metrics(db, metric())

    with refused(db, "cursor_invalid") as refusal:
        kinds(db, cursor=cursor)
    assert refusal.message == f'invalid cursor "{cursor}"'


def test_a_cursor_of_facts_is_no_cursor_of_kinds(db: Connection) -> None:
    cursor = ask(db, "select internal.write_cursor('facts', '1/2')")

    with refused(db, "cursor_invalid"):
        kinds(db, cursor=cursor)
