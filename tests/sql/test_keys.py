"""Keys in SQL: who may do what, until when, and what becomes of a key."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from psycopg import Connection
from psycopg.types.json import Jsonb

from tests.sql.calls import NOW, Json, ask, refused

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
DIGEST = bytes(32)


def create(
    conn: Connection,
    key_id: str = "aaaaaaaa",
    *,
    owner: str | None = "ann",
    scopes: list[str] | None = None,
    sources: list[str] | None = None,
    namespace: str | None = None,
    expires_at: datetime | None = None,
    again: str | None = None,
    digest: bytes = DIGEST,
    now: datetime = NOW,
) -> Json:
    """The answer to a key that is created; `again` is its Idempotency-Key."""
    wanted = ["read"] if scopes is None else scopes
    values = (key_id, digest, owner, wanted, sources, namespace, expires_at, again, now)
    statement = "select api.create_key(%s, %s, %s, %s, %s, %s, %s, %s, %s)"
    answer: Json = ask(conn, statement, *values)
    return answer


def authenticate(
    conn: Connection, key_id: str = "aaaaaaaa", digest: bytes = DIGEST, now: datetime = NOW
) -> Json:
    """Who a key belongs to."""
    answer: Json = ask(conn, "select api.authenticate_key(%s, %s, %s)", key_id, digest, now)
    return answer


def list_keys(conn: Connection, *, now: datetime = NOW, **filters: object) -> Json:
    """A page of keys."""
    values = [filters.get(name) for name in ("owner", "active", "limit", "cursor")]
    answer: Json = ask(conn, "select api.list_keys(%s, %s, %s, %s, %s)", *values, now)
    return answer


def ids(conn: Connection, **filters: object) -> list[str]:
    """The ids of listed keys."""
    return [each["id"] for each in list_keys(conn, **filters)["items"]]  # type: ignore[arg-type]


def revoke(
    conn: Connection, key_id: str = "aaaaaaaa", reason: str | None = None, now: datetime = NOW
) -> Json:
    """The answer to a revocation."""
    answer: Json = ask(conn, "select api.revoke_key(%s, %s, %s)", key_id, reason, now)
    return answer


def rotate(
    conn: Connection,
    key_id: str = "aaaaaaaa",
    new_id: str = "bbbbbbbb",
    *,
    grace: str | None = None,
    expires_at: datetime | None = None,
    digest: bytes = DIGEST,
    now: datetime = NOW,
) -> Json:
    """The answer to a rotation."""
    values = (key_id, new_id, digest, grace, expires_at, now)
    answer: Json = ask(conn, "select api.rotate_key(%s, %s, %s, %s, %s, %s)", *values)
    return answer


def act_in(conn: Connection, namespace: str, actor: str = "bob") -> None:
    """Act as somebody in a namespace, until the end of the test."""
    conn.execute(
        "select set_config('supervisor.namespace', %s, true),"
        " set_config('supervisor.actor', %s, true)",
        (namespace, actor),
    )


def record(conn: Connection, *uses: tuple[str, datetime]) -> int:
    """How many uses were noted."""
    sent = Jsonb([{"id": key_id, "used_at": used_at.isoformat()} for key_id, used_at in uses])
    noted: int = ask(conn, "select api.record_key_use(%s)", sent)
    return noted


def last_use(conn: Connection) -> str | None:
    """When the key was used last."""
    found: str | None = list_keys(conn)["items"][0]["last_used_at"]
    return found


def test_a_key_is_created_with_what_it_may_do(db: Connection) -> None:
    act_in(db, "", "root")
    assert create(
        db, scopes=["read", "ingest"], sources=["web"], namespace="acme", expires_at=NOW + DAY
    ) == {
        "id": "aaaaaaaa",
        "owner": "ann",
        "status": "active",
        "scopes": ["read", "ingest"],
        "sources": ["web"],
        "namespace": "acme",
        "created_at": "2025-06-15T12:34:56.789+00:00",
        "created_by": "root",
        "expires_at": "2025-06-16T12:34:56.789+00:00",
        "last_used_at": None,
        "revoked_at": None,
        "revoked_by": None,
        "reason": None,
        "rotated_from": None,
        "rotated_to": None,
        "outcome": "created",
        "hint": None,
    }


def test_a_key_without_more_reads_the_default_namespace_and_does_not_expire(
    db: Connection,
) -> None:
    created = create(db)
    assert (created["sources"], created["namespace"], created["expires_at"]) == (None, "", None)


def test_scopes_are_kept_once_and_in_order(db: Connection) -> None:
    assert create(db, scopes=["admin", "read", "ingest", "read"])["scopes"] == [
        "read",
        "ingest",
        "admin",
    ]


def test_outside_of_the_service_the_login_creates_a_key(db: Connection) -> None:
    assert create(db)["created_by"] == ask(db, "select session_user")


@pytest.mark.parametrize(
    ("wrong", "slug", "field"),
    [
        ({"owner": ""}, "owner_well_formed", "owner"),
        ({"owner": None}, "owner_well_formed", "owner"),
        ({"owner": "a\nb"}, "owner_well_formed", "owner"),
        ({"owner": "bootstrap"}, "owner_reserved", "owner"),
        ({"scopes": []}, "scopes_known", "scopes"),
        ({"scopes": ["write"]}, "scopes_known", "scopes"),
        ({"scopes": ["read", None]}, "scopes_known", "scopes"),
        ({"scopes": ["ingest"], "sources": []}, "sources_well_formed", "sources"),
        ({"scopes": ["ingest"], "sources": ["a b"]}, "sources_well_formed", "sources"),
        ({"scopes": ["ingest"], "sources": [None]}, "sources_well_formed", "sources"),
        ({"scopes": ["ingest"], "sources": ["a"] * 101}, "sources_well_formed", "sources"),
        ({"sources": ["web"]}, "sources_of_ingest", "sources"),
        ({"scopes": ["ingest", "admin"], "sources": ["web"]}, "sources_of_ingest", "sources"),
        ({"namespace": "Acme"}, "namespace_well_formed", "namespace"),
        ({"namespace": "-a"}, "namespace_well_formed", "namespace"),
        ({"namespace": "a" * 64}, "namespace_well_formed", "namespace"),
        ({"expires_at": NOW}, "expires_in_future", "expires_at"),
    ],
)
def test_a_wrong_key_is_refused_with_its_field(
    db: Connection, wrong: dict[str, Any], slug: str, field: str
) -> None:
    with refused(db, slug) as refusal:
        create(db, **wrong)
    assert refusal.column == field
    assert refusal.hint.startswith(("Send", "Leave"))
    assert ids(db) == []
    assert create(db)["outcome"] == "created"


def test_more_active_keys_than_the_quota_are_refused(db: Connection) -> None:
    db.execute("update data.quota set value = 1 where name = 'api_keys'")
    create(db)
    with refused(db, "count_within_quota") as refusal:
        create(db, "bbbbbbbb")
    assert refusal.params == {"quota": "api_keys", "allowed": 1}
    revoke(db)
    create(db, "bbbbbbbb")


def test_keys_of_another_namespace_do_not_count(db: Connection) -> None:
    db.execute("update data.quota set value = 1 where name = 'api_keys'")
    create(db)
    create(db, "bbbbbbbb", namespace="acme")
    with refused(db, "count_within_quota"):
        create(db, "cccccccc", namespace="acme")


def test_a_key_can_be_rotated_where_the_quota_is_used_up(db: Connection) -> None:
    create(db)
    db.execute("update data.quota set value = 1 where name = 'api_keys'")
    assert rotate(db)["status"] == "active"


def test_a_repeated_request_creates_nothing_and_says_what_to_do(db: Connection) -> None:
    create(db, again="first")
    repeated = create(db, "bbbbbbbb", again="first", now=NOW + SECOND)
    assert (repeated["id"], repeated["outcome"]) == ("aaaaaaaa", "unchanged")
    assert "rotate_key" in repeated["hint"]
    assert ids(db) == ["aaaaaaaa"]


def test_another_request_with_the_same_idempotency_key_is_refused(db: Connection) -> None:
    create(db, again="first")
    with refused(db, "idempotency_key_reused"):
        create(db, "bbbbbbbb", again="first", scopes=["admin"])


def test_a_key_proves_who_has_it(db: Connection) -> None:
    create(db, scopes=["ingest"], sources=["web"], namespace="acme")
    assert authenticate(db) == {
        "status": "active",
        "id": "aaaaaaaa",
        "owner": "ann",
        "scopes": ["ingest"],
        "sources": ["web"],
        "namespace": "acme",
        "ends_at": None,
    }


@pytest.mark.parametrize(("key_id", "digest"), [("bbbbbbbb", DIGEST), ("aaaaaaaa", b"\1" * 32)])
def test_another_id_or_digest_proves_nothing(db: Connection, key_id: str, digest: bytes) -> None:
    create(db)
    revoke(db)
    assert authenticate(db, key_id, digest) == {"status": "unknown"}


def test_a_key_is_authenticated_in_a_read_only_transaction(db: Connection) -> None:
    create(db)
    db.execute("set transaction read only")
    assert authenticate(db)["status"] == "active"


def test_a_key_expires(db: Connection) -> None:
    create(db, expires_at=NOW + HOUR)
    before = authenticate(db, now=NOW + HOUR - SECOND)
    assert (before["status"], before["ends_at"]) == ("active", "2025-06-15T13:34:56.789+00:00")
    assert authenticate(db, now=NOW + HOUR)["status"] == "expired"


def test_a_revoked_key_is_refused_at_once(db: Connection) -> None:
    create(db)
    act_in(db, "", "carl")
    revoked = revoke(db, reason="leaked")
    assert authenticate(db)["status"] == "revoked"
    assert {name: revoked[name] for name in ("status", "outcome", "revoked_by", "reason")} == {
        "status": "revoked",
        "outcome": "revoked",
        "revoked_by": "carl",
        "reason": "leaked",
    }


def test_a_revocation_is_final_and_keeps_its_reason(db: Connection) -> None:
    create(db)
    first = revoke(db, reason="leaked")
    again = revoke(db, reason="other", now=NOW + HOUR)
    assert again == {**first, "outcome": "unchanged"}


def test_a_reason_is_a_short_text(db: Connection) -> None:
    create(db)
    for reason in ("", "x" * 1001):
        with refused(db, "reason_in_range"):
            revoke(db, reason=reason)
    assert revoke(db)["outcome"] == "revoked"


@pytest.mark.parametrize("reason", ["x", "x" * 1000])
def test_a_reason_has_1_to_1000_characters(db: Connection, reason: str) -> None:
    create(db)
    assert revoke(db, reason=reason)["reason"] == reason


def test_a_key_may_have_100_sources(db: Connection) -> None:
    sources = [f"s{n}" for n in range(100)]
    assert create(db, scopes=["ingest"], sources=sources)["sources"] == sources


def test_a_namespace_that_is_refused_is_shown_in_part(db: Connection) -> None:
    with refused(db, "namespace_well_formed") as refusal:
        create(db, namespace="A" * 101)
    assert refusal.message == f'invalid namespace "{"A" * 100}"'


def test_an_unknown_key_is_refused_and_no_secret_shown(db: Connection) -> None:
    sent = "sk_aaaaaaaa_" + "S" * 43
    for call in (revoke, rotate):
        with refused(db, "key_unknown") as refusal:
            call(db, sent)
        assert refusal.message == 'unknown key "sk_aaaaaaaa"'
        assert "S" * 5 not in json.dumps([refusal.message, refusal.hint, refusal.params])
    create(db)
    assert revoke(db)["outcome"] == "revoked"


def test_a_rotated_key_is_replaced_by_one_that_may_do_the_same(db: Connection) -> None:
    old = create(
        db, scopes=["ingest"], sources=["web"], namespace="acme", expires_at=NOW + 30 * DAY
    )
    new = rotate(db, digest=b"\1" * 32, now=NOW + DAY)
    same = ("owner", "scopes", "sources", "namespace", "expires_at")
    assert {name: new[name] for name in same} == {name: old[name] for name in same}
    assert (new["id"], new["rotated_from"], new["outcome"]) == ("bbbbbbbb", "aaaaaaaa", "created")
    assert authenticate(db, now=NOW + DAY)["status"] == "revoked"
    assert authenticate(db, "bbbbbbbb", b"\1" * 32, NOW + DAY)["status"] == "active"
    listed = {each["id"]: each for each in list_keys(db, now=NOW + DAY)["items"]}
    assert (listed["aaaaaaaa"]["rotated_to"], listed["aaaaaaaa"]["reason"]) == (
        "bbbbbbbb",
        "rotated",
    )


def test_a_rotated_key_stays_valid_for_its_grace_period(db: Connection) -> None:
    create(db)
    new = rotate(db, grace="24h")
    assert new["rotated_from_ends_at"] == "2025-06-16T12:34:56.789+00:00"
    during = authenticate(db, now=NOW + DAY - SECOND)
    assert (during["status"], during["ends_at"]) == ("active", new["rotated_from_ends_at"])
    assert authenticate(db, now=NOW + DAY)["status"] == "revoked"


def test_a_grace_period_ends_no_later_than_the_key_would_have(db: Connection) -> None:
    create(db, expires_at=NOW + HOUR)
    end = "2025-06-15T13:34:56.789+00:00"
    assert rotate(db, grace="24h")["rotated_from_ends_at"] == end
    assert authenticate(db)["ends_at"] == end
    assert authenticate(db, now=NOW + HOUR)["status"] == "expired"


def test_a_key_in_its_grace_period_can_be_revoked(db: Connection) -> None:
    create(db)
    rotate(db, grace="24h")
    assert revoke(db, reason="leaked")["outcome"] == "revoked"
    assert authenticate(db)["status"] == "revoked"


def test_a_rotation_can_prolong_a_key(db: Connection) -> None:
    create(db, expires_at=NOW + HOUR)
    assert rotate(db, expires_at=NOW + DAY)["expires_at"] == "2025-06-16T12:34:56.789+00:00"


def test_a_key_is_rotated_once_and_the_error_names_its_successor(db: Connection) -> None:
    create(db)
    rotate(db, grace="24h")
    with refused(db, "key_rotated_once") as refusal:
        rotate(db, new_id="cccccccc")
    assert refusal.params == {"rotated_to": "bbbbbbbb"}
    rotate(db, "bbbbbbbb", "cccccccc")


@pytest.mark.parametrize("end", ["revoked", "expired"])
def test_a_key_that_has_ended_is_not_rotated(db: Connection, end: str) -> None:
    create(db, expires_at=NOW + HOUR)
    if end == "revoked":
        revoke(db)
    with refused(db, "key_active") as refusal:
        rotate(db, now=NOW + HOUR if end == "expired" else NOW)
    assert refusal.message == f'key "aaaaaaaa" is {end}'


@pytest.mark.parametrize("grace", ["8d", "169h", "soon", "-1h", ""])
def test_a_grace_period_is_at_most_seven_days(db: Connection, grace: str) -> None:
    create(db)
    with refused(db, "grace_in_range") as refusal:
        rotate(db, grace=grace)
    assert refusal.column == "grace"
    assert authenticate(db)["status"] == "active"
    assert rotate(db)["outcome"] == "created"


@pytest.mark.parametrize("grace", ["0s", "7d", "168h"])
def test_a_grace_period_may_be_seven_days(db: Connection, grace: str) -> None:
    create(db)
    ends_at = NOW + (timedelta(0) if grace == "0s" else 7 * DAY)
    assert datetime.fromisoformat(rotate(db, grace=grace)["rotated_from_ends_at"]) == ends_at


def test_a_grace_that_is_refused_is_shown_in_part(db: Connection) -> None:
    create(db)
    with refused(db, "grace_in_range") as refusal:
        rotate(db, grace="x" * 101)
    assert refusal.message == f'invalid grace "{"x" * 100}"'
    assert rotate(db)["outcome"] == "created"


def test_a_key_in_its_grace_period_ends_at_once_where_it_is_revoked_as_it_ends(
    db: Connection,
) -> None:
    create(db)
    rotate(db, grace="1h")
    assert revoke(db, now=NOW + HOUR)["outcome"] == "unchanged"
    assert revoke(db, now=NOW + HOUR - SECOND)["outcome"] == "revoked"


def test_keys_are_listed_from_the_newest_by_owner_and_status(db: Connection) -> None:
    create(db)
    create(db, "bbbbbbbb", owner="bob", now=NOW + SECOND)
    create(db, "cccccccc", expires_at=NOW + HOUR, now=NOW + SECOND)
    later = NOW + DAY
    assert ids(db, now=later) == ["bbbbbbbb", "cccccccc", "aaaaaaaa"]
    assert ids(db, now=later, owner="ann") == ["cccccccc", "aaaaaaaa"]
    assert ids(db, now=later, active=True) == ["bbbbbbbb", "aaaaaaaa"]
    assert ids(db, now=later, active=False) == ["cccccccc"]
    assert "digest" not in json.dumps(list_keys(db))


def test_pages_of_keys_are_complete(db: Connection) -> None:
    for place, letter in enumerate("abcde"):
        create(db, letter * 8, now=NOW + place // 2 * SECOND)
    found: list[str] = []
    cursor = None
    while True:
        page = list_keys(db, limit=2, cursor=cursor)
        found += [each["id"][0] for each in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == ["e", "c", "d", "a", "b"]


def test_a_page_that_holds_the_rest_of_the_keys_is_the_last_one(db: Connection) -> None:
    for letter in "abc":
        create(db, letter * 8)

    for limit in (3, 4):
        assert list_keys(db, limit=limit)["next_cursor"] is None
    assert list_keys(db, limit=2)["next_cursor"] is not None


def test_a_page_has_100_keys_where_no_limit_is_sent(db: Connection) -> None:
    for n in range(101):
        create(db, f"key{n:05}")

    page = list_keys(db)
    assert [each["id"] for each in page["items"]] == [f"key{n:05}" for n in range(100)]
    assert ids(db, cursor=page["next_cursor"]) == ["key00100"]
    assert len(ids(db, limit=1000)) == 101
    with refused(db, "limit_in_range"):
        list_keys(db, limit=1001)


def test_who_acts_in_a_namespace_manages_its_keys_alone(db: Connection) -> None:
    create(db, namespace="acme")
    create(db, "bbbbbbbb")
    create(db, "cccccccc", namespace="other")
    assert len(ids(db)) == 3
    act_in(db, "acme")
    assert ids(db) == ["aaaaaaaa"]
    for key_id in ("bbbbbbbb", "cccccccc"):
        for call in (revoke, rotate):
            with refused(db, "key_unknown"):
                call(db, key_id)
    assert revoke(db)["outcome"] == "revoked"
    assert create(db, "dddddddd")["namespace"] == "acme"
    for namespace in ("", "other"):
        with refused(db, "namespace_of_key") as refusal:
            create(db, "eeeeeeee", namespace=namespace)
        assert refusal.column == "namespace"


def test_active_keys_of_each_namespace_count_against_the_quota(db: Connection) -> None:
    db.execute("update data.quota set value = 2 where name = 'api_keys'")
    for n, namespace in enumerate(["acme", "acme", "other"]):
        create(db, f"key{n:05}", namespace=namespace, expires_at=NOW + DAY)

    with refused(db, "count_within_quota"):
        create(db, namespace="acme")
    assert create(db, namespace="other")["outcome"] == "created"
    # What has ended makes room.
    revoke(db, "key00000")
    assert create(db, "bbbbbbbb", namespace="acme")["outcome"] == "created"
    assert create(db, "cccccccc", namespace="acme", now=NOW + DAY)["outcome"] == "created"


def test_a_use_is_noted_at_most_once_a_minute(db: Connection) -> None:
    create(db)
    assert last_use(db) is None
    assert record(db, ("aaaaaaaa", NOW), ("aaaaaaaa", NOW + SECOND)) == 1
    assert last_use(db) == "2025-06-15T12:34:57.789+00:00"
    assert record(db, ("aaaaaaaa", NOW + 60 * SECOND)) == 0
    assert record(db, ("aaaaaaaa", NOW + 61 * SECOND)) == 1
    # News of another process that is older.
    assert record(db, ("aaaaaaaa", NOW)) == 0
    assert last_use(db) == "2025-06-15T12:35:57.789+00:00"


def test_a_use_of_an_unknown_key_is_not_noted(db: Connection) -> None:
    assert record(db, ("bbbbbbbb", NOW)) == 0


def test_administrators_see_keys_without_digests(db: Connection) -> None:
    create(db, now=NOW)
    record(db, ("aaaaaaaa", NOW))
    cursor = db.execute("select * from ops.keys")
    columns = [column.name for column in cursor.description or ()]
    (row,) = [dict(zip(columns, values, strict=True)) for values in cursor]
    assert (row["id"], row["status"], row["last_used_at"]) == ("aaaaaaaa", "active", NOW)
    assert "digest" not in row


def test_nothing_of_analytics_shows_keys(db: Connection) -> None:
    found = ask(
        db,
        "select count(*) from information_schema.view_table_usage"
        " where view_schema = 'analytics' and table_name like 'api_key%%'",
    )
    assert found == 0
