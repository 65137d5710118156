"""Lists of alert rules: their states, their versions with differences, and pages of both."""

from __future__ import annotations

from datetime import timedelta

import pytest
from psycopg import Connection

from tests.sql.alert_rules import NAME, condition, define, delete, list_rules, raise_alert, rule
from tests.sql.calls import NOW, Json, ask, ingest_metrics, metric, refused


@pytest.fixture
def db(db: Connection) -> Connection:
    """The database with the kind of the rules."""
    ingest_metrics(db, [metric(), metric("memory")])
    return db


def names(page: Json) -> list[str]:
    return [item["name"] for item in page["items"]]


def state(conn: Connection) -> str:
    (item,) = list_rules(conn)["items"]
    return str(item["state"])


def test_a_rule_is_listed_with_its_version(db: Connection) -> None:
    define(db, rule(severity="critical"))
    page = list_rules(db)
    defined_at = page["items"][0].pop("defined_at")
    assert defined_at.startswith("2025-06-15T12:34:56.789")
    assert page == {
        "items": [
            {
                "name": NAME,
                "state": "inactive",
                "firing": 0,
                "pending": 0,
                "severity": "critical",
                "type": "metric",
                "version": 1,
                "author": "ann",
                "evaluated_at": None,
                "error": None,
            }
        ],
        "next_cursor": None,
    }


def test_a_rule_is_pending_or_firing_as_its_alerts_are(db: Connection) -> None:
    define(db, rule())
    raise_alert(db, "pending", source="a")
    assert state(db) == "pending"
    raise_alert(db, "firing", source="b")
    assert state(db) == "firing"
    raise_alert(db, "firing", source="c")
    (item,) = list_rules(db)["items"]
    assert (item["state"], item["firing"], item["pending"]) == ("firing", 2, 1)


def test_a_rule_that_cannot_be_evaluated_says_why(db: Connection) -> None:
    define(db, rule())
    db.execute("update data.alert_rule set error = 'It fails.', error_since = %s", [NOW])
    (item,) = list_rules(db)["items"]
    assert (item["state"], item["error"]) == ("error", "It fails.")


def test_a_rule_that_is_not_enabled_is_disabled(db: Connection) -> None:
    define(db, rule(enabled=False))
    assert state(db) == "disabled"


def test_rules_are_found_by_a_part_of_their_name_or_kind(db: Connection) -> None:
    define(db, rule(), "load_high")
    define(db, rule(condition(kind="memory")), "leak")
    define(db, rule({"type": "keepalive"}), "lost")
    assert names(list_rules(db, q="LOA")) == ["load_high"]
    assert names(list_rules(db, q="memo")) == ["leak"]
    assert names(list_rules(db, q="disk")) == []


def test_deleted_rules_are_a_list_of_their_own(db: Connection) -> None:
    for name in ("a", "b"):
        define(db, rule(), name)
    delete(db, "a")
    assert names(list_rules(db)) == ["b"]
    (item,) = list_rules(db, deleted=True)["items"]
    assert (item["name"], item["state"]) == ("a", "deleted")
    assert list_rules(db, name="a")["deleted_by"] == "bob"


def test_pages_follow_each_other(db: Connection) -> None:
    for name in ("c", "a", "b", "e", "d"):
        define(db, rule(), name)
    found: list[str] = []
    cursor = None
    for _ in range(9):
        page = list_rules(db, limit=2, cursor=cursor)
        found += names(page)
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == ["a", "b", "c", "d", "e"]


def test_a_page_that_is_full_can_be_the_last(db: Connection) -> None:
    for name in ("a", "b"):
        define(db, rule(), name)

    page = list_rules(db, limit=2)
    assert (names(page), page["next_cursor"]) == (["a", "b"], None)


def test_a_page_has_100_rules_by_default_and_1000_at_most(db: Connection) -> None:
    define(db, rule())
    db.execute(
        """
        with added as (
            insert into data.every_alert_rule (name, created_at)
            select 'r' || n, %s from generate_series(1, 100) as n
            returning rule_id
        )
        insert into data.alert_rule_version (rule_id, version, document, author, valid)
        select added.rule_id, version, document, author, valid
        from added cross join data.alert_rule_version
        """,
        [NOW],
    )

    assert len(list_rules(db)["items"]) == 100
    with refused(db, "limit_in_range"):
        list_rules(db, limit=1001)


def test_one_rule_is_shown_with_the_differences_of_its_versions(db: Connection) -> None:
    define(db, rule(annotations={"summary": "It is high."}))
    second = {**rule(condition(threshold=95, group_by="source")), "author": "bob"}
    define(db, second, now=NOW + timedelta(hours=1))
    shown = list_rules(db, name=NAME)
    assert shown["document"]["condition"]["threshold"] == 95
    assert [(each["version"], each["author"], each["changes"]) for each in shown["versions"]] == [
        (
            2,
            "bob",
            [
                {"field": "annotations.summary", "before": "It is high.", "after": None},
                {"field": "condition.group_by", "before": None, "after": "source"},
                {"field": "condition.threshold", "before": 90, "after": 95},
            ],
        ),
        (1, "ann", []),
    ]
    newest, oldest = shown["versions"]
    assert (oldest["to"], newest["to"]) == (newest["from"], None)


def test_versions_of_a_rule_have_pages(db: Connection) -> None:
    for threshold in range(5):
        define(db, rule(condition(threshold=threshold)), now=NOW + timedelta(minutes=threshold))
    found: list[int] = []
    cursor = None
    for _ in range(9):
        shown = list_rules(db, name=NAME, limit=2, cursor=cursor)
        found += [each["version"] for each in shown["versions"]]
        cursor = shown["next_cursor"]
        if cursor is None:
            break
    assert found == [5, 4, 3, 2, 1]
    assert list_rules(db, name=NAME, limit=5)["next_cursor"] is None


def test_a_page_whose_versions_are_gone_is_empty(db: Connection) -> None:
    for threshold in range(2):
        define(db, rule(condition(threshold=threshold)), now=NOW + timedelta(minutes=threshold))
    cursor = list_rules(db, name=NAME, limit=1)["next_cursor"]
    db.execute("delete from data.alert_rule_version where version = 1")

    assert list_rules(db, name=NAME, cursor=cursor)["versions"] == []


def test_a_cursor_of_another_rule_is_refused(db: Connection) -> None:
    for name in ("a", "b"):
        for threshold in (1, 2):
            define(db, rule(condition(threshold=threshold)), name)
    cursor = list_rules(db, name="a", limit=1)["next_cursor"]
    for filters in ({"name": "b"}, {}):
        with refused(db, "cursor_invalid"):
            list_rules(db, cursor=cursor, **filters)


def test_an_unknown_rule_is_answered_with_the_nearest_one(db: Connection) -> None:
    define(db, rule(), "latency_high")
    with refused(db, "alert_rule_unknown") as refusal:
        list_rules(db, name="latency_hihg")
    assert refusal.params == {"nearest": "latency_high"}


def test_a_refusal_quotes_the_first_200_characters_of_a_name(db: Connection) -> None:
    with refused(db, "alert_rule_unknown") as refusal:
        list_rules(db, name="x" * 300)
    assert refusal.message == f'unknown alert rule "{"x" * 200}"'


def test_a_version_that_is_replaced_at_once_is_valid_for_a_microsecond(db: Connection) -> None:
    for threshold in (1, 2):
        define(db, rule(condition(threshold=threshold)))
    _, oldest = list_rules(db, name=NAME)["versions"]
    assert oldest["to"] == "2025-06-15T12:34:56.789001+00:00"


def test_views_have_rules_and_all_their_versions(db: Connection) -> None:
    define(db, rule())
    define(db, rule(condition(threshold=1)), now=NOW + timedelta(hours=1))
    db.execute("set local role supervisor_analyst")
    shown = (
        "select name || '/' || state || '/' || kind || '/' || version from analytics.alert_rules"
    )
    assert ask(db, shown) == f"{NAME}/inactive/cpu/2"
    past = "select version from analytics.alert_rule_versions where valid @> %s"
    assert ask(db, past, NOW + timedelta(minutes=30)) == 1
