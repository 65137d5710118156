"""Silences: created, changed, cancelled and listed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from psycopg import Connection
from psycopg.types.json import Jsonb

from tests.sql.calls import NOW, Json, ask, refused
from tests.sql.raised_alerts import add_silence, after, matcher, raise_alert, written

WEB = [matcher("source", "=", "web")]
END = after(hours=2)


def silence(
    db: Connection,
    id_: object = "a",
    matchers: object = WEB,
    *,
    begin: datetime | None = None,
    end: datetime | None = END,
    author: str | None = "ann",
    comment: str | None = "update",
    cancelled: bool | None = None,
    now: datetime = NOW,
) -> Json:
    sent = None if matchers is None else Jsonb(matchers)
    statement = "select api.silence_alerts(%s, %s, %s, %s, %s, %s, %s, %s)"
    answer: Json = ask(db, statement, id_, sent, begin, end, author, comment, cancelled, now)
    return answer


def cancel(db: Connection, id_: str = "a", now: datetime = NOW) -> Json:
    return silence(db, id_, None, end=None, cancelled=True, comment="done", now=now)


def list_silences(db: Connection, now: datetime = NOW, **filters: object) -> Json:
    names = ("from_", "limit", "cursor")
    statement = "select api.list_silences(%s, %s, %s, %s)"
    answer: Json = ask(db, statement, *(filters.get(name) for name in names), now)
    return answer


def silenced(db: Connection, now: datetime = NOW) -> set[str]:
    rows = db.execute("select fingerprint from internal.suppressed_alerts(%s)", [now]).fetchall()
    return {fingerprint for (fingerprint,) in rows}


def test_alerts_are_silenced(db: Connection) -> None:
    alert = raise_alert(db, source="web")
    raise_alert(db, source="db")
    raise_alert(db, "slow", state="pending", source="web")

    assert silence(db) == {
        "id": "a",
        "status": "active",
        "matchers": WEB,
        "from": written(NOW),
        "to": written(after(hours=2)),
        "author": "ann",
        "comment": "update",
        "updated_at": written(NOW),
        "changed": True,
        "alerts": 2,
        "hint": None,
    }
    assert silenced(db) == {alert}


def test_the_same_content_again_changes_nothing(db: Connection) -> None:
    first = silence(db)

    assert silence(db, now=after(hours=1)) == {**first, "changed": False}
    assert silence(db, now=after(hours=3)) == {**first, "changed": False, "status": "past"}


def test_a_silence_that_exists_keeps_its_matchers_and_its_start(db: Connection) -> None:
    silence(db)
    answer = silence(db, matchers=None, end=after(hours=9), now=after(hours=1))

    assert (answer["matchers"], answer["from"]) == (WEB, written(NOW))
    assert (answer["to"], answer["changed"]) == (written(after(hours=9)), True)
    assert answer["updated_at"] == written(after(hours=1))


def test_a_silence_that_has_ended_starts_again(db: Connection) -> None:
    silence(db)
    answer = silence(db, end=after(hours=9), now=after(hours=3))

    assert (answer["status"], answer["from"]) == ("active", written(after(hours=3)))


def test_a_silence_that_ends_at_this_moment_starts_again(db: Connection) -> None:
    silence(db)
    answer = silence(db, end=after(hours=9), now=END)

    assert (answer["status"], answer["from"]) == ("active", written(END))


def test_a_request_that_is_repeated_when_its_silence_ends_changes_nothing(db: Connection) -> None:
    first = silence(db)

    assert silence(db, now=END) == {**first, "changed": False, "status": "past"}


def test_a_refusal_quotes_the_first_200_characters_of_an_id(db: Connection) -> None:
    with refused(db, "silence_unknown") as refusal:
        silence(db, "x" * 300, cancelled=True)
    assert refusal.message == f'unknown silence "{"x" * 200}"'


def test_a_silence_of_the_future_is_planned(db: Connection) -> None:
    alert = raise_alert(db, source="web")
    answer = silence(db, begin=after(hours=1))

    assert answer["status"] == "planned"
    assert silenced(db) == set()
    assert silenced(db, after(hours=1)) == {alert}


def test_a_cancelled_silence_ends_now(db: Connection) -> None:
    raise_alert(db, source="web")
    silence(db)
    answer = cancel(db, now=after(hours=1))

    assert (answer["status"], answer["comment"], answer["changed"]) == ("cancelled", "done", True)
    assert silenced(db, after(hours=1)) == set()
    assert cancel(db, now=after(hours=1.5))["changed"] is False


def test_a_silence_is_cancelled_without_a_comment_and_keeps_its_own(db: Connection) -> None:
    silence(db)

    answer = silence(db, matchers=None, end=None, comment=None, cancelled=True, now=after(hours=1))

    assert (answer["status"], answer["comment"]) == ("cancelled", "update")


def test_a_matcher_of_a_label_that_nothing_has_is_stored_with_a_hint(db: Connection) -> None:
    raise_alert(db, source="web")

    answer = silence(db, matchers=[*WEB, matcher("regoin", "!=", "eu")])

    assert (answer["alerts"], answer["status"]) == (1, "active")
    unknown = 'No active alert or rule has the label "regoin". '
    assert answer["hint"] == unknown + "The labels are alertname, severity, source."


def test_a_cancelled_silence_can_be_created_again(db: Connection) -> None:
    silence(db)
    cancel(db)
    answer = silence(db, matchers=None, now=after(hours=1))

    assert (answer["status"], answer["from"]) == ("active", written(after(hours=1)))


def test_a_silence_that_is_past_stays_past_when_it_is_cancelled(db: Connection) -> None:
    silence(db)

    assert cancel(db, now=after(hours=3))["status"] == "past"


def test_a_silence_that_is_cancelled_at_its_end_is_past(db: Connection) -> None:
    silence(db)

    assert cancel(db, now=END)["status"] == "past"


@pytest.mark.parametrize("comment", ["x", "x" * 1000])
def test_a_comment_has_1_to_1000_characters(db: Connection, comment: str) -> None:
    assert silence(db, comment=comment)["comment"] == comment


@pytest.mark.parametrize(("id_", "shown"), [("ä" * 200, "ä" * 100), (None, "")])
def test_a_refusal_quotes_the_first_100_characters_of_a_malformed_id(
    db: Connection, id_: str | None, shown: str
) -> None:
    with refused(db, "silence_id_well_formed") as refusal:
        silence(db, id_)
    assert refusal.message == f'invalid silence id "{shown}"'


@pytest.mark.parametrize(
    ("asked", "slug", "field"),
    [
        ({"id_": "a b"}, "silence_id_well_formed", "id"),
        ({"id_": None}, "silence_id_well_formed", "id"),
        ({"author": ""}, "author_well_formed", "author"),
        ({"comment": None}, "comment_in_range", "comment"),
        ({"comment": "x" * 1001}, "comment_in_range", "comment"),
        ({"end": None}, "silence_closed", "to"),
        ({"matchers": None}, "document_refused", "matchers"),
        ({"end": NOW}, "from_before_to", "from"),
        ({"begin": after(hours=3)}, "from_before_to", "from"),
        ({"matchers": []}, "document_refused", "matchers"),
        ({"matchers": [matcher("source", "=~", ".*")]}, "document_refused", "matchers"),
        ({"matchers": [matcher("source", "!=", "web")]}, "document_refused", "matchers"),
        ({"matchers": [matcher("source", "=~", "(")]}, "document_refused", "matchers[0].value"),
        ({"matchers": [{"name": "a"}]}, "document_refused", "matchers[0].operator"),
        ({"matchers": {"source": "web"}}, "document_refused", "matchers"),
        ({"cancelled": True}, "silence_unknown", "id"),
    ],
)
def test_a_silence_that_means_nothing_is_refused(
    db: Connection, asked: dict[str, Any], slug: str, field: str
) -> None:
    with refused(db, slug) as refusal:
        silence(db, **asked)

    assert refusal.column == field
    assert refusal.hint.endswith((".", "]."))
    assert list_silences(db)["items"] == []


def test_all_faults_of_matchers_are_reported_at_once(db: Connection) -> None:
    with refused(db, "document_refused") as refusal:
        silence(db, matchers=[matcher("a", "=~", "("), matcher("b", "=~", "(?=x)x")])

    assert [fault["field"] for fault in refusal.params["faults"]] == [
        "matchers[0].value",
        "matchers[1].value",
    ]


def test_silences_that_have_not_ended_are_bounded(db: Connection) -> None:
    db.execute("update data.quota set value = 2 where name = 'silences'")
    silence(db, "a")
    silence(db, "b")
    with refused(db, "count_within_quota") as refusal:
        silence(db, "c")

    assert refusal.params == {"quota": "silences", "allowed": 2}
    silence(db, "b", end=after(hours=3))
    cancel(db, "a")
    silence(db, "c")


def test_a_silence_that_has_ended_leaves_its_place_to_another(db: Connection) -> None:
    db.execute("update data.quota set value = 1 where name = 'silences'")
    silence(db, "a")

    assert silence(db, "b", end=after(hours=3), now=END)["changed"]


def test_new_versions_of_silences_are_bounded_over_an_hour(db: Connection) -> None:
    db.execute("update data.quota set value = 2 where name = 'new_versions_of_silences_per_hour'")
    silence(db, "a")
    cancel(db, "a")
    with refused(db, "count_within_quota") as refusal:
        silence(db, "b")

    assert refusal.params == {
        "quota": "new_versions_of_silences_per_hour",
        "allowed": 2,
        "retry_after_seconds": 3600,
    }
    assert not cancel(db, "a")["changed"]
    silence(db, "b", now=after(hours=1))


def test_silences_that_have_not_ended_are_listed_the_earliest_first(db: Connection) -> None:
    for id_, begin, end in (("late", 4, 5), ("now", -1, 3), ("past", -3, -2), ("soon", 4, 6)):
        add_silence(db, id_, *WEB, begin=after(hours=begin), end=after(hours=end))
    add_silence(db, "off", *WEB, cancelled=after(minutes=-1))

    first = list_silences(db, limit=2)
    second = list_silences(db, limit=2, cursor=first["next_cursor"])
    assert [(item["id"], item["status"]) for item in first["items"]] == [
        ("now", "active"),
        ("late", "planned"),
    ]
    assert [item["id"] for item in second["items"]] == ["soon"]
    assert second["next_cursor"] is None


def test_silences_of_the_past_are_listed_from_a_time(db: Connection) -> None:
    add_silence(db, "past", *WEB, begin=after(hours=-3), end=after(hours=-2))
    add_silence(db, "off", *WEB, cancelled=after(minutes=-1))

    listed = list_silences(db, from_=after(hours=-4))["items"]
    assert [(item["id"], item["status"]) for item in listed] == [
        ("past", "past"),
        ("off", "cancelled"),
    ]


def test_a_silence_that_ends_when_the_list_begins_is_not_listed(db: Connection) -> None:
    add_silence(db, "ended", *WEB, end=NOW)
    add_silence(db, "off", *WEB, cancelled=NOW)

    assert list_silences(db)["items"] == []


def test_a_page_of_silences_that_is_full_can_be_the_last(db: Connection) -> None:
    for id_ in "ab":
        add_silence(db, id_, *WEB)

    page = list_silences(db, limit=2)
    assert (len(page["items"]), page["next_cursor"]) == (2, None)


def test_a_page_has_100_silences_by_default(db: Connection) -> None:
    for number in range(101):
        add_silence(db, f"s{number}", *WEB)

    assert len(list_silences(db)["items"]) == 100


def versions(db: Connection, id_: str = "a") -> list[Json]:
    listed = list_silences(db, from_=after(hours=-9))["items"]
    return next(list(item["versions"]) for item in listed if item["id"] == id_)


def test_a_new_silence_has_one_version(db: Connection) -> None:
    silence(db)
    assert versions(db) == [
        {"version": 1, "author": "ann", "comment": "update", "at": written(NOW), "changes": []}
    ]


def test_a_list_says_who_changed_and_who_cancelled_a_silence_and_when(db: Connection) -> None:
    silence(db)
    other = [matcher("source", "=", "db")]
    silence(db, matchers=other, end=after(hours=3), author="bob", comment="longer")
    silence(
        db,
        matchers=None,
        end=None,
        author="cyd",
        comment="done",
        cancelled=True,
        now=after(hours=1),
    )

    cancelled, changed, _ = versions(db)
    assert (cancelled["author"], cancelled["comment"]) == ("cyd", "done")
    assert cancelled["at"] == written(after(hours=1))
    assert cancelled["changes"] == [{"field": "cancelled", "before": False, "after": True}]
    assert (changed["author"], changed["comment"]) == ("bob", "longer")
    assert changed["changes"] == [
        {"field": "matchers", "before": WEB, "after": other},
        {"field": "to", "before": written(after(hours=2)), "after": written(after(hours=3))},
    ]


def test_a_silence_that_is_created_again_keeps_its_versions(db: Connection) -> None:
    silence(db)
    cancel(db)
    silence(db, matchers=None, now=after(hours=1))

    again, _, _ = versions(db)
    assert {change["field"] for change in again["changes"]} == {"cancelled", "from"}


def test_the_same_content_again_makes_no_version(db: Connection) -> None:
    for _ in range(2):
        silence(db)
    for _ in range(2):
        cancel(db)
    assert [version["version"] for version in versions(db)] == [2, 1]


def test_a_list_has_the_newest_versions_and_the_view_has_all(db: Connection) -> None:
    for number in range(25):
        silence(db, comment=f"update {number}")

    listed = versions(db)
    assert [version["version"] for version in listed] == list(range(25, 5, -1))
    assert ask(db, "select count(*) from analytics.silence_versions where id = 'a'") == 25


def test_a_refused_silence_makes_no_version(db: Connection) -> None:
    silence(db)
    with refused(db, "comment_in_range"):
        silence(db, comment="")
    assert len(versions(db)) == 1


@pytest.mark.parametrize(
    ("asked", "slug"),
    [
        ({"limit": 0}, "limit_in_range"),
        ({"limit": 1001}, "limit_in_range"),
        ({"cursor": "x"}, "cursor_invalid"),
    ],
)
def test_a_list_that_cannot_be_is_refused(db: Connection, asked: dict[str, Any], slug: str) -> None:
    with refused(db, slug):
        list_silences(db, **asked)
