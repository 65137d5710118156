"""KPIs as documents: versions, refusals, lists, deletion."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from psycopg import Connection

from tests.sql.calls import NOW, Json, ask, refused
from tests.sql.kpis import CALLS, NAME, define, delete, known, kpi, list_kpis, query_kpis

LATER = NOW + timedelta(hours=1)
SALES = {"kind": "Fact:Sale", "statistic": "sum"}


@pytest.fixture
def db(db: Connection) -> Connection:
    """The database with the kinds that the documents name."""
    known(db)
    return db


def faults(conn: Connection, document: object, name: str = NAME) -> list[tuple[str, str]]:
    """Field and slug of every rule for which a document is refused."""
    with refused(conn, "document_refused") as refusal:
        define(conn, document, name)
    return [(fault["field"], fault["slug"]) for fault in refusal.params["faults"]]


def test_a_definition_is_created_and_then_changed_in_versions(db: Connection) -> None:
    first = define(db, kpi(unit="%", target=2, direction="down"))
    again = define(db, kpi(unit="%", target=2, direction="down"))
    changed = define(db, kpi(unit="%", target=1, direction="down"), now=LATER)

    assert (first["outcome"], first["version"], first["changes"]) == ("created", 1, [])
    assert (again["outcome"], again["version"]) == ("unchanged", 1)
    assert (changed["outcome"], changed["version"]) == ("changed", 2)
    assert changed["changes"] == [{"field": "target", "before": 2, "after": 1}]


def test_a_kpi_is_shown_with_its_versions(db: Connection) -> None:
    define(db, kpi(target=2))
    define(db, kpi(target=1, author="bob"), now=LATER)

    shown = list_kpis(db, NAME)
    assert (shown["version"], shown["author"], shown["deleted_at"]) == (2, "bob", None)
    assert shown["document"] == {
        "direction": "up",
        "numerator": kpi()["numerator"],
        "denominator": CALLS,
        "target": 1,
    }
    assert [(each["version"], each["author"]) for each in shown["versions"]] == [
        (2, "bob"),
        (1, "ann"),
    ]
    assert datetime.fromisoformat(shown["versions"][1]["to"]) == LATER


def test_kpis_are_listed_in_pages_by_name(db: Connection) -> None:
    for name in ("b", "c", "a"):
        define(db, kpi(), name)

    first = list_kpis(db, limit=2)
    second = list_kpis(db, limit=2, cursor=first["next_cursor"])
    assert [each["name"] for each in first["items"]] == ["a", "b"]
    assert [each["name"] for each in second["items"]] == ["c"]
    assert second["next_cursor"] is None
    assert [each["name"] for each in list_kpis(db, limit=1)["items"]] == ["a"]


def test_a_full_page_that_is_the_last_one_has_no_cursor(db: Connection) -> None:
    for name in ("b", "a"):
        define(db, kpi(), name)
        define(db, kpi(target=1), name, now=LATER)

    assert list_kpis(db, limit=2)["next_cursor"] is None
    assert list_kpis(db, "a", limit=2)["next_cursor"] is None


def test_a_page_of_the_list_has_100_kpis_by_default_and_1000_at_most(db: Connection) -> None:
    define(db, kpi(), "k000")
    db.execute(
        "with made as (insert into data.kpi (name, created_at)"
        " select 'k' || lpad(n::text, 3, '0'), %s from generate_series(1, 100) as n"
        " returning kpi_id)"
        " insert into data.kpi_version"
        " select made.kpi_id, 1, version.document, 'ann', version.valid"
        " from made cross join data.kpi_version as version",
        [NOW],
    )

    answer = list_kpis(db)
    assert [each["name"] for each in answer["items"]] == [f"k{n:03}" for n in range(100)]
    assert [each["name"] for each in list_kpis(db, cursor=answer["next_cursor"])["items"]] == [
        "k100"
    ]
    with refused(db, "limit_in_range"):
        list_kpis(db, limit=1001)


def test_versions_come_in_pages_with_what_each_has_changed(db: Connection) -> None:
    for name in ("other", NAME):
        for n, target in enumerate((5, 7, 4)):
            now = NOW + n * timedelta(hours=1)
            define(db, kpi(target=target, unit=name), name, now=now)

    first = list_kpis(db, NAME, limit=2)
    second = list_kpis(db, NAME, limit=2, cursor=first["next_cursor"])
    assert [(each["version"], each["changes"]) for each in first["versions"]] == [
        (3, [{"field": "target", "before": 7, "after": 4}]),
        (2, [{"field": "target", "before": 5, "after": 7}]),
    ]
    assert [(each["version"], each["changes"]) for each in second["versions"]] == [(1, [])]
    assert second["next_cursor"] is None
    assert [each["version"] for each in list_kpis(db, NAME, limit=1)["versions"]] == [3]


def test_faults_are_named_in_the_order_of_their_fields_100_at_most(db: Connection) -> None:
    broken = kpi(
        target=1e-310, direction="left", denominator={"kind": "visits", "statistic": "count"}
    )
    assert faults(db, broken) == [
        ("denominator.statistic", "statistic_of_kind"),
        ("direction", "field_well_formed"),
        ("target", "target_finite"),
    ]
    many = {f"x{n:03}": 1 for n in reversed(range(101))}
    assert faults(db, kpi(target=1e-310, **many)) == [
        ("target", "target_finite"),
        *((f"x{n:03}", "field_known") for n in range(99)),
    ]
    assert define(db, kpi())["outcome"] == "created"


@pytest.mark.parametrize("target", [0, 1e-300, -1e300])
def test_a_target_is_zero_or_of_a_size_that_numbers_have(db: Connection, target: float) -> None:
    assert define(db, kpi(target=target))["outcome"] == "created"


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (kpi(numerator={**CALLS, "kind": "cpuu"}), [("numerator.kind", "kind_known")]),
        (
            kpi(denominator={"kind": "visits", "statistic": "count"}),
            [("denominator.statistic", "statistic_of_kind")],
        ),
        (
            kpi(numerator={**CALLS, "statistic": "increase"}),
            [("numerator.statistic", "statistic_of_kind")],
        ),
        (
            kpi(numerator={**CALLS, "statistic": "avg"}),
            [("numerator.statistic", "field_well_formed")],
        ),
        (kpi(target="low"), [("target", "field_well_formed")]),
        (kpi(target=1e-310), [("target", "target_finite")]),
        (kpi(direction="left"), [("direction", "field_well_formed")]),
        (kpi(targte=1), [("targte", "field_known")]),
        ({"author": "ann"}, [("numerator", "field_required")]),
        ([], [("", "field_well_formed")]),
    ],
)
def test_a_broken_document_is_refused_by_field(
    db: Connection, document: object, expected: list[tuple[str, str]]
) -> None:
    assert faults(db, document) == expected
    assert list_kpis(db)["items"] == []
    assert define(db, kpi())["outcome"] == "created"


def test_a_name_that_is_not_well_formed_is_refused(db: Connection) -> None:
    assert faults(db, kpi(), "a b") == [("name", "field_well_formed")]


def test_an_unknown_kind_is_refused_with_the_nearest(db: Connection) -> None:
    with refused(db, "document_refused") as refusal:
        define(db, kpi(numerator={**CALLS, "kind": "visit"}))
    assert 'Did you mean "visits"?' in refusal.hint


def test_an_unknown_kpi_is_refused_with_the_nearest(db: Connection) -> None:
    define(db, kpi())
    for call in (list_kpis, delete):
        with refused(db, "kpi_unknown") as refusal:
            call(db, "eror_share")
        assert refusal.params == {"nearest": NAME}
    with refused(db, "kpi_unknown"):
        query_kpis(db, "7d", "eror_share")


def test_the_error_about_an_unknown_kpi_has_the_beginning_of_a_long_name(db: Connection) -> None:
    with refused(db, "kpi_unknown") as refusal:
        query_kpis(db, "7d", "a" * 201)
    assert refusal.message == f'unknown KPI "{"a" * 200}"'


def test_a_deleted_kpi_is_not_listed_and_can_be_restored(db: Connection) -> None:
    define(db, kpi())
    answer = delete(db, now=LATER)

    assert answer == delete(db, author="carl", now=LATER + timedelta(hours=1))
    assert answer["deleted_by"] == "bob"
    assert list_kpis(db)["items"] == []
    assert query_kpis(db)["items"] == []
    assert list_kpis(db, NAME)["deleted_by"] == "bob"
    with refused(db, "kpi_unknown") as refusal:
        query_kpis(db, "7d", NAME)
    assert "define_kpi" in refusal.hint
    assert define(db, kpi(), now=LATER + timedelta(hours=2))["outcome"] == "restored"
    assert [each["name"] for each in query_kpis(db)["items"]] == [NAME]


def test_a_deletion_needs_an_author(db: Connection) -> None:
    define(db, kpi())
    with refused(db, "author_well_formed"):
        delete(db, author="")


@pytest.mark.parametrize("quota", ["kpis", "new_versions_per_kpi_and_hour"])
def test_kpis_and_their_versions_have_quotas(db: Connection, quota: str) -> None:
    define(db, kpi(target=1))
    db.execute("update data.quota set value = 1 where name = %s", [quota])

    with refused(db, "count_within_quota") as refusal:
        define(db, kpi(target=2), NAME if "version" in quota else "other")
    assert refusal.params["quota"] == quota


def test_a_quota_of_kpis_counts_those_that_are_not_deleted(db: Connection) -> None:
    db.execute("update data.quota set value = 2 where name = 'kpis'")
    for name in ("a", "b"):
        define(db, kpi(), name)
        define(db, kpi(target=1), name)
    delete(db, "a")
    define(db, kpi(), "c")

    for name in ("a", "d"):
        with refused(db, "count_within_quota"):
            define(db, kpi(), name)


def test_versions_of_the_last_hour_count_for_each_kpi(db: Connection) -> None:
    db.execute("update data.quota set value = 2 where name = 'new_versions_per_kpi_and_hour'")
    for name in (NAME, "other"):
        for n in range(2):
            define(db, kpi(target=n), name, now=NOW + n * timedelta(minutes=1))

    with refused(db, "count_within_quota"):
        define(db, kpi(target=5), now=NOW + timedelta(minutes=59))
    assert define(db, kpi(target=5), now=LATER)["outcome"] == "changed"


def test_a_version_ends_after_it_began_whatever_the_clock_says(db: Connection) -> None:
    define(db, kpi())
    answer = delete(db, now=NOW - timedelta(hours=1))

    assert datetime.fromisoformat(answer["deleted_at"]) == NOW + timedelta(microseconds=1)


def test_definitions_and_deletions_are_audited(db: Connection) -> None:
    define(db, kpi(target=2))
    define(db, kpi(target=1))
    delete(db)
    db.execute("set constraints all immediate")

    events: list[Json] = ask(
        db,
        "select json_agg(json_build_object('action', action, 'document', document) order by number)"
        " from data.audit_event where object_type = 'kpi' and object_name = %s",
        NAME,
    )
    assert [event["action"] for event in events] == ["insert", "update", "update"]
    assert events[1]["document"] == {"target": {"old": 2, "new": 1}}
    assert events[2]["document"]["deleted_by"] == {"new": "bob"}


def test_an_analyst_reads_definitions_with_deleted_ones(db: Connection) -> None:
    define(
        db, kpi(numerator=SALES, denominator=None, unit="EUR", target=5) | {"denominator": CALLS}
    )
    delete(db)
    db.execute("set local session authorization supervisor_analyst")
    row = db.execute(
        "select name, version, unit, target, direction, deleted_by from analytics.kpis"
    ).fetchone()
    assert row == (NAME, 1, "EUR", 5, "up", "bob")
