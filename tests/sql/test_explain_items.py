"""How many rules of how many bad items an answer names, and in which order."""

from __future__ import annotations

from psycopg import Connection
from psycopg.types.json import Jsonb

from tests.sql.calls import NOW, Item, Json, ask, fact, ingest_facts, metric
from tests.sql.registry import NAME, register, server_json
from tests.sql.test_report_health import report, report_health


def explain(conn: Connection, items: list[Item], of: str = "metric") -> list[Json]:
    """What is said of bad items; their indexes are their places here."""
    bad = [{"index": n, "item": item} for n, item in enumerate(items)]
    entries: list[Json] = ask(
        conn, "select internal.explain_items(%s, %s, %s)", Jsonb(bad), NOW, of
    )
    return entries


def test_twenty_rules_of_each_of_a_thousand_items_are_named_and_of_later_ones_one(
    db: Connection,
) -> None:
    few, many = ({**metric(), **{f"more{n:02}": n for n in range(count)}} for count in (2, 25))
    items = [*[few] * 999, many, many]
    # The items are counted, and not their indexes.
    bad = [{"index": 3 * place, "item": item} for place, item in enumerate(items)]

    entries = ask(db, "select internal.explain_items(%s, %s, 'metric')", Jsonb(bad), NOW)
    assert [(entry["index"], entry["field"]) for entry in entries] == [
        *((3 * place, f"more{n:02}") for place in range(999) for n in range(2)),
        *((2997, f"more{n:02}") for n in range(20)),
        (3000, "more00"),
    ]


def test_rules_come_in_the_order_of_items_and_fields(db: Connection) -> None:
    items: list[Item] = [
        {"value": "x", "source": "", "name": "1st", "b": 1, "a": 2},
        {"": 5},
        {"name": "1st", "source": "", "": 5},
    ]

    fields = [(entry["index"], entry["field"]) for entry in explain(db, [*items, *items])]
    named = [
        *((0, field) for field in ("a", "b", "name", "source", "value")),
        (1, ""),
        *((2, field) for field in ("", "name", "source", "value")),
    ]
    assert fields == [*named, *((index + 3, field) for index, field in named)]
    slugs = {(entry["index"], entry["field"]): entry["slug"] for entry in explain(db, items)}
    assert (slugs[1, ""], slugs[2, ""]) == ("item_is_object", "item_fields_known")


def test_the_rules_of_one_field_come_in_the_order_of_their_names(db: Connection) -> None:
    db.execute("select set_config('supervisor.sources', %s, true)", ["web"])

    slugs = [entry["slug"] for entry in explain(db, [metric(source="a b")])]
    assert slugs == sorted(slugs)


def test_each_type_of_item_has_its_own_rules(db: Connection) -> None:
    for of, slug in (
        ("metric", "kind_name_well_formed"),
        ("fact", "fact_kind_well_formed"),
        ("report", "server_registered"),
    ):
        slugs = [entry["slug"] for entry in explain(db, [{}], of)]
        assert slug in slugs
        assert len(slugs) == len(set(slugs))
        assert [entry["slug"] for entry in explain(db, [{"": 1}], of)] == ["item_is_object"]


def test_the_first_ten_reports_name_the_nearest_server(db: Connection) -> None:
    register(db, server_json())
    misspelt = NAME.replace("search", "serach")
    answer = report_health(db, [report(misspelt) for _ in range(12)], partial=True)

    named = [f'Did you mean "{NAME}"?' in entry["detail"] for entry in answer["rejected"]]
    assert named == [True] * 10 + [False] * 2


def test_a_server_that_is_unknown_is_shown_in_part(db: Connection) -> None:
    (entry,) = explain(db, [report("x" * 201)], "report")

    assert entry["detail"].startswith(f'No server "{"x" * 200}" is registered. ')


def test_a_fact_that_is_no_object_is_refused_with_its_index(db: Connection) -> None:
    answer = ingest_facts(db, [fact(), 5, fact(value="x")], partial=True)

    assert [(entry["index"], entry["slug"]) for entry in answer["rejected"]] == [
        (1, "item_is_object"),
        (2, "value_finite"),
    ]
