"""How long rows are kept, as database administrators set it."""

from __future__ import annotations

import pytest
from psycopg import Connection

from tests.sql.audit import settle
from tests.sql.calls import ask, refused


def set_retention(db: Connection, relation: str, keep: str | None) -> None:
    db.execute("select ops.set_retention(%s, %s::interval)", [relation, keep])


def kept(db: Connection, relation: str) -> str:
    text: str = ask(
        db,
        "select config ->> 'drop_after' from ops.policies"
        " where relation = %s and policy = 'policy_retention'",
        relation,
    )
    return text


def test_rows_are_kept_as_long_as_an_administrator_says(db: Connection) -> None:
    set_retention(db, "data.fact", "6 years")
    assert kept(db, "data.fact") == "6 years"


def test_other_relations_are_kept_as_before(db: Connection) -> None:
    before = kept(db, "data.sample")
    set_retention(db, "data.fact", "6 years")
    assert kept(db, "data.sample") == before


def test_the_audit_records_what_it_was_and_what_it_is(db: Connection) -> None:
    before = kept(db, "data.fact")
    set_retention(db, "data.fact", "6 years")
    settle(db)
    event = ask(
        db,
        "select jsonb_build_array(actor, action, object_type, object_name, document)"
        " from ops.audit order by number desc limit 1",
    )
    assert event == [
        ask(db, "select session_user::text"),
        "update",
        "retention",
        "data.fact",
        {"drop_after": {"old": before, "new": "6 years"}},
    ]


def test_the_same_again_is_no_event(db: Connection) -> None:
    set_retention(db, "data.fact", "6 years")
    events = ask(db, "select count(*) from ops.audit")
    set_retention(db, "data.fact", "6 years")
    assert ask(db, "select count(*) from ops.audit") == events


def test_an_administrator_may_call_it(db: Connection) -> None:
    db.execute("set local role supervisor_dba")
    set_retention(db, "data.fact", "6 years")
    assert kept(db, "data.fact") == "6 years"


@pytest.mark.parametrize(
    ("relation", "keep", "slug", "field"),
    [
        ("data.kind", "1 year", "policy_unknown", "name"),
        ("data.fact", "1 hour", "policy_value_in_range", "value"),
        ("data.fact", "-1 day", "policy_value_in_range", "value"),
        ("data.fact", None, "policy_value_in_range", "value"),
        ("data.sample", "29 days", "retention_needed", "value"),
        ("data.sample", "401 days", "retention_needed", "value"),
        ("data.sample_1h", "89 days", "retention_needed", "value"),
        ("data.kind_1d", "399 days", "retention_needed", "value"),
    ],
)
def test_a_bad_retention_is_refused(
    db: Connection, relation: str, keep: str | None, slug: str, field: str
) -> None:
    before = kept(db, "data.fact")
    with refused(db, slug) as refusal:
        set_retention(db, relation, keep)
    assert refusal.column == field
    assert kept(db, "data.fact") == before
