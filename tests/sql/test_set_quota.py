"""Quotas are set by a database administrator, above zero, and audited where they change."""

from __future__ import annotations

import pytest
from psycopg import Connection

from tests.sql.audit import events
from tests.sql.calls import ask, refused


def set_quota(conn: Connection, name: str, value: int | None) -> None:
    conn.execute("select ops.set_quota(%s, %s)", [name, value])


def quota(conn: Connection, name: str) -> int:
    value: int = ask(conn, "select value from data.quota where name = %s", name)
    return value


def test_a_quota_may_be_one(db: Connection) -> None:
    others = quota(db, "sources")
    set_quota(db, "kinds", 1)

    assert (quota(db, "kinds"), quota(db, "sources")) == (1, others)


@pytest.mark.parametrize("value", [0, -1, None])
def test_a_quota_is_above_zero(db: Connection, value: int | None) -> None:
    before = quota(db, "kinds")
    with refused(db, "policy_value_in_range"):
        set_quota(db, "kinds", value)

    assert quota(db, "kinds") == before


def test_an_unknown_quota_is_refused(db: Connection) -> None:
    with refused(db, "policy_unknown"):
        set_quota(db, "colours", 5)


def test_a_name_that_is_refused_is_shown_in_part(db: Connection) -> None:
    for slug, value, what in (
        ("policy_value_in_range", 0, 'quota "{}" is out of range'),
        ("policy_unknown", 1, 'unknown quota "{}"'),
    ):
        with refused(db, slug) as refusal:
            set_quota(db, "x" * 201, value)
        assert refusal.message == what.format("x" * 200)


def test_a_quota_that_stays_as_it_is_is_no_event(db: Connection) -> None:
    set_quota(db, "kinds", quota(db, "kinds"))
    assert events(db) == []

    set_quota(db, "kinds", quota(db, "kinds") + 1)
    assert [event["object_type"] for event in events(db)] == ["quota"]
