"""Snapshots that somebody named are frozen: the same bytes, with their hash, for ever."""

from __future__ import annotations

import hashlib

import psycopg
import pytest
from psycopg import Connection

from tests.sql.audit import events
from tests.sql.calls import NOW, Json, ago, ask, ingest_metrics, metric, refused


def create(db: Connection, name: str = "week", window: str = "7d", author: str = "ann") -> Json:
    answer: Json = ask(db, "select api.create_snapshot(%s, %s, %s, %s)", name, window, author, NOW)
    return answer


def content(db: Connection, name: str = "week") -> bytes:
    text: str = ask(db, "select api.get_snapshot(%s)::text", name)
    return text.encode()


def listed(db: Connection, limit: int | None = None, cursor: str | None = None) -> Json:
    answer: Json = ask(db, "select api.list_snapshots(%s, %s)", limit, cursor)
    return answer


def test_a_snapshot_is_what_query_agg_answers_about_every_kind(db: Connection) -> None:
    ingest_metrics(db, [metric(ts=ago(hours=1)), metric("queue", unit="Größe", ts=ago(days=2))])
    answered = ask(
        db, "select api.query_agg(null, '7d', null, null, null, null, %s)::text", NOW
    ).encode()
    created = create(db)

    assert content(db) == answered
    assert created == {
        "name": "week",
        "window": "7d",
        "from": "2025-06-08T12:00:00+00:00",
        "to": "2025-06-15T12:34:56.789+00:00",
        "kinds": 2,
        "bytes": len(answered),
        "sha256": hashlib.sha256(answered).hexdigest(),
        "author": "ann",
        "created_at": "2025-06-15T12:34:56.789+00:00",
    }


def test_what_comes_later_changes_no_byte(db: Connection) -> None:
    ingest_metrics(db, metric(ts=ago(hours=1)))
    created = create(db)
    before = content(db)

    ingest_metrics(db, metric(ts=ago(days=1), value=1000))
    db.execute("set extra_float_digits = -3")
    db.execute("set bytea_output = 'escape'")
    db.execute("set timezone = 'Asia/Tokyo'")
    assert content(db) == before
    assert hashlib.sha256(before).hexdigest() == created["sha256"]


def test_neither_retention_nor_the_end_of_its_kinds_touches_a_snapshot(db: Connection) -> None:
    ingest_metrics(db, metric(ts=ago(hours=1)))
    create(db)
    before = content(db)

    db.execute("delete from data.sample")
    db.execute("delete from data.late_hour")
    db.execute("delete from data.series")
    db.execute("delete from data.every_kind")
    db.execute(
        """call internal.prune(0, '{"idempotency_keys": "0", "conflicts": "0", "restatements": "0",
        "health_intervals": "0", "deliveries": "0"}')"""
    )
    assert content(db) == before


def test_nobody_changes_a_snapshot(db: Connection) -> None:
    create(db)

    with pytest.raises(psycopg.errors.RestrictViolation), db.transaction():
        db.execute("update data.every_snapshot set content = ''")


def test_a_name_is_used_once(db: Connection) -> None:
    create(db)

    with refused(db, "snapshot_name_taken"):
        create(db, window="30d")


@pytest.mark.parametrize(
    ("arguments", "slug"),
    [
        ({"name": "two words"}, "snapshot_name_well_formed"),
        ({"author": ""}, "author_well_formed"),
        ({"window": "a week"}, "window_well_formed"),
    ],
)
def test_a_snapshot_that_breaks_a_rule_is_refused(
    db: Connection, arguments: dict[str, str], slug: str
) -> None:
    with refused(db, slug):
        create(db, **arguments)
    assert listed(db)["items"] == []


def test_a_quota_bounds_their_number(db: Connection) -> None:
    db.execute("update data.quota set value = 1 where name = 'snapshots'")
    create(db)

    with refused(db, "count_within_quota"):
        create(db, "another")


def test_an_unknown_snapshot_is_named_with_the_nearest_one(db: Connection) -> None:
    create(db)

    with refused(db, "snapshot_unknown") as refusal:
        content(db, "weeek")
    assert refusal.hint.startswith('Did you mean "week"?')
    assert refusal.params == {"nearest": "week"}


def test_pages_list_the_newest_first(db: Connection) -> None:
    for name in ("a", "b", "c", "d"):
        create(db, name)
    first = listed(db, limit=2)

    assert [each["name"] for each in first["items"]] == ["d", "c"]
    rest = listed(db, limit=2, cursor=first["next_cursor"])
    assert ([each["name"] for each in rest["items"]], rest["next_cursor"]) == (["b", "a"], None)


def test_the_audit_has_who_froze_what(db: Connection) -> None:
    created = create(db)

    (event,) = events(db)
    assert (event["action"], event["object_type"], event["object_name"]) == (
        "insert",
        "snapshot",
        "week",
    )
    assert event["changes"]["sha256"] == {"new": "\\x" + created["sha256"]}
    assert "content" not in event["changes"]


def test_a_snapshot_of_another_namespace_is_unknown(db: Connection) -> None:
    create(db)
    db.execute("select set_config('supervisor.namespace', 'acme', true)")

    with refused(db, "snapshot_unknown"):
        content(db)
    create(db)
    assert len(listed(db)["items"]) == 1


def test_snapshots_are_listed_by_hundreds_the_newest_first(db: Connection) -> None:
    assert listed(db) == {"items": [], "next_cursor": None}
    ingest_metrics(db, metric(ts=ago(hours=1)))
    create(db, "s001")
    db.execute(
        "insert into data.snapshot"
        " (name, window_name, begins_at, ends_at, kinds, content, author, created_at)"
        " select 's' || lpad(n::text, 3, '0'), window_name, begins_at, ends_at, kinds, content,"
        " author, created_at from data.snapshot cross join generate_series(2, 112) as n"
    )

    page = listed(db)
    assert [item["name"] for item in page["items"]] == [f"s{n:03}" for n in range(112, 12, -1)]
    rest = listed(db, 12, page["next_cursor"])
    assert [item["name"] for item in rest["items"]] == [f"s{n:03}" for n in range(12, 0, -1)]
    assert rest["next_cursor"] is None


@pytest.mark.parametrize("limit", [0, 1001])
def test_a_page_of_snapshots_has_a_limit(db: Connection, limit: int) -> None:
    assert listed(db, 1000)["items"] == []
    with refused(db, "limit_in_range"):
        listed(db, limit)
