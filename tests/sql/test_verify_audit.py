"""The audit shows that its owner has changed it."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import Connection
from psycopg.rows import dict_row

from tests.sql.audit import settle
from tests.sql.calls import Json, ask
from tests.sql.test_silences import silence

EVENTS = 6
# Appends a copy of the last event, with a hash that fits.
APPEND = """
with event as (
    select 7, at, actor, namespace, action, object_type, object_name, document, hash, hash
    from data.audit_event where number = 6
)
insert into data.audit_event select * from event
"""
REHASH = """
update data.audit_event as event set hash = internal.audit_hash(event.*) where number = %s
"""


@pytest.fixture
def audited(db: Connection) -> Connection:
    """A database whose audit has six events."""
    for number in range(EVENTS):
        silence(db, f"s{number}")
    settle(db)
    return db


def verify(db: Connection, number: int = 0, hash_: str | None = None) -> Json:
    with db.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute("select * from ops.verify_audit(%s, %s)", [number, hash_]).fetchone()
    assert found is not None
    return found


def fault(db: Connection, number: int = 0, hash_: str | None = None) -> tuple[str, int]:
    found = verify(db, number, hash_)
    return found["fault"], found["fault_number"]


def test_a_whole_audit_has_no_fault_and_its_head_is_the_last_event(audited: Connection) -> None:
    found = verify(audited)

    assert (found["checked"], found["fault"], found["fault_number"]) == (EVENTS, None, None)
    assert found["head_number"] == EVENTS
    assert found["head_hash"] == ask(audited, "select hash from ops.audit where number = 6")


def test_an_empty_audit_has_no_fault(db: Connection) -> None:
    assert verify(db)["fault"] is None


@pytest.mark.parametrize("number", range(1, EVENTS + 1))
def test_it_can_be_verified_from_any_event(audited: Connection, number: int) -> None:
    known = ask(audited, "select hash from ops.audit where number = %s", number)

    found = verify(audited, number, known)
    assert found["checked"] == EVENTS - number + 1
    assert (found["fault"], found["fault_number"]) == (None, None)
    assert fault(audited, number, "00") == ("changed", number)


@pytest.mark.parametrize(
    "change",
    [
        "actor = 'eve'",
        "at = at + interval '1 microsecond'",
        "namespace = 'shop'",
        "action = 'delete'",
        "object_type = 'server'",
        "object_name = 's9'",
        'document = document || \'{"comment": {"new": "other"}}\'',
        "previous_hash = sha256('')",
        "hash = sha256('')",
    ],
)
@pytest.mark.parametrize("number", [1, 3, EVENTS])
def test_a_changed_event_is_found(audited: Connection, change: str, number: int) -> None:
    audited.execute(f"update data.audit_event set {change} where number = {number}".encode())

    assert fault(audited) == ("changed", number)


@pytest.mark.parametrize("number", [1, 3, EVENTS])
def test_a_changed_event_with_a_hash_that_fits_is_found(audited: Connection, number: int) -> None:
    audited.execute("update data.audit_event set actor = 'eve' where number = %s", [number])
    audited.execute(REHASH, [number])

    assert fault(audited) == ("changed", number)


@pytest.mark.parametrize("number", range(1, EVENTS + 1))
def test_a_deleted_event_is_found(audited: Connection, number: int) -> None:
    audited.execute("delete from data.audit_event where number = %s", [number])

    assert fault(audited) == ("missing", number)


def test_of_several_faults_the_first_one_is_named(audited: Connection) -> None:
    audited.execute("update data.audit_event set actor = 'eve' where number = 5")
    audited.execute("delete from data.audit_event where number = 3")
    audited.execute("update data.audit_event set actor = 'eve' where number = 6")

    assert fault(audited) == ("missing", 3)


def test_a_whole_audit_that_follows_another_one_is_found(audited: Connection) -> None:
    """Every hash fits, and the first event knows one of an event before it."""
    before = ask(audited, "select sha256('')")
    for number in range(1, EVENTS + 1):
        audited.execute(
            "update data.audit_event set previous_hash = %s where number = %s", [before, number]
        )
        audited.execute(REHASH, [number])
        before = ask(audited, "select hash from data.audit_event where number = %s", number)
    audited.execute("update data.audit_head set hash = %s", [before])

    assert fault(audited) == ("changed", 1)


def test_the_deletion_of_the_last_events_is_found(audited: Connection) -> None:
    audited.execute("delete from data.audit_event where number > 4")

    assert fault(audited) == ("missing", 5)


def test_the_deletion_of_all_events_is_found(audited: Connection) -> None:
    audited.execute("truncate data.audit_event")

    assert fault(audited) == ("missing", 1)


def test_an_added_event_is_found(audited: Connection) -> None:
    audited.execute(APPEND)
    audited.execute(REHASH, [7])

    assert fault(audited) == ("added", 7)


def test_an_event_with_the_number_of_another_is_found(audited: Connection) -> None:
    # That one may be of the same instant.
    audited.execute(APPEND.replace("select 7, at", "select 3, at + '1 us'").encode())

    assert fault(audited) == ("added", 3)


def test_a_number_that_was_changed_is_found(audited: Connection) -> None:
    audited.execute("update data.audit_event set number = 9 where number = 6")

    assert fault(audited) == ("missing", 6)


def test_a_head_that_was_deleted_is_found_and_nothing_is_appended(audited: Connection) -> None:
    audited.execute("delete from data.audit_head")

    assert verify(audited)["fault"] == "missing"
    silence(audited, "more")
    with pytest.raises(psycopg.errors.NoDataFound), audited.transaction():
        settle(audited)


def test_an_owner_that_writes_the_end_again_is_found_with_a_head_that_was_kept(
    audited: Connection,
) -> None:
    kept = verify(audited)
    audited.execute("delete from data.audit_event where number > 4")
    audited.execute(
        "update data.audit_head set (number, hash) ="
        " (select number, hash from data.audit_event where number = 4)"
    )
    # Nothing in the database says so any more.
    assert verify(audited)["fault"] is None

    assert fault(audited, kept["head_number"], kept["head_hash"]) == ("missing", EVENTS)
    for number in range(3):
        silence(audited, f"other{number}")
    settle(audited)
    assert verify(audited)["fault"] is None
    assert fault(audited, kept["head_number"], kept["head_hash"]) == ("changed", EVENTS)


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "UTC"])
def test_settings_of_the_session_change_no_hash(audited: Connection, zone: str) -> None:
    audited.execute(
        "select set_config('timezone', %s, true), set_config('datestyle', 'German', true),"
        " set_config('bytea_output', 'escape', true), set_config('extra_float_digits', '-5', true)",
        [zone],
    )

    assert verify(audited)["fault"] is None


@pytest.mark.parametrize(
    "statement",
    [
        "insert into data.audit_event select * from data.audit_event",
        "update data.audit_event set actor = 'eve'",
        "delete from data.audit_event",
        "update data.audit_head set number = 0",
        "select internal.audit('insert', 'server', 'a', '', '{}')",
        "select internal.audit_change()",
        "alter table data.silence disable trigger audited",
        "drop trigger audited on data.silence",
    ],
)
@pytest.mark.parametrize("role", ["supervisor_app", "supervisor_dba"])
def test_no_role_writes_the_audit(audited: Connection, role: str, statement: str) -> None:
    audited.execute(f"set local role {role}".encode())
    with pytest.raises(psycopg.errors.InsufficientPrivilege), audited.transaction():
        audited.execute(statement.encode())


def test_administrators_read_and_verify_it(audited: Connection) -> None:
    audited.execute("set local role supervisor_dba")

    assert ask(audited, "select count(*) from ops.audit") == EVENTS
    assert verify(audited)["fault"] is None


def test_what_the_service_changes_is_appended_though_it_may_not_write(audited: Connection) -> None:
    audited.execute("set local role supervisor_app")
    silence(audited, "more")
    settle(audited)
    audited.execute("reset role")

    assert verify(audited)["checked"] == EVENTS + 1
