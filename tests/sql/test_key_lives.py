"""What becomes of keys: whatever is done to them, and by how many at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from tests.sql.calls import NOW, Json
from tests.sql.test_concurrency import SESSIONS, at_once
from tests.sql.test_keys import authenticate, create, list_keys, revoke, rotate

HOUR = timedelta(hours=1)
QUIET = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
# What is done, to which key, and after how many hours; the last one is a grace or a lifetime.
steps = st.lists(
    st.tuples(
        st.sampled_from(["create", "revoke", "rotate"]),
        st.integers(0, 5),
        st.integers(0, 30),
        st.none() | st.integers(0, 48),
    ),
    max_size=8,
)


@dataclass
class Life:
    """When a key should end; None for never."""

    expires_at: datetime | None
    revoked_at: datetime | None = None
    rotated: bool = False

    def status(self, now: datetime) -> str:
        """What the key should be."""
        if self.revoked_at is not None and self.revoked_at <= now:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "active"


@QUIET
@given(steps, st.integers(0, 100))
def test_a_key_is_valid_until_its_end_and_never_again(
    db: Connection, done: list[tuple[str, int, int, int | None]], later: int
) -> None:
    lives: dict[str, Life] = {}
    now = NOW
    with db.transaction(force_rollback=True):
        for number, (what, which, hours, length) in enumerate(done):
            now += hours * HOUR
            new_id = f"key0000{number}"
            if what == "create":
                expires_at = now + length * HOUR if length else None
                create(db, new_id, expires_at=expires_at, now=now)
                lives[new_id] = Life(expires_at)
            elif which < len(lives):
                key_id = sorted(lives)[which]
                change(db, what, key_id, new_id, lives, length, now)
            assert {key: authenticate(db, key, now=now)["status"] for key in lives} == {
                key: life.status(now) for key, life in lives.items()
            }
        now += later * HOUR
        listed = {key["id"]: key["status"] for key in list_keys(db, now=now)["items"]}
        assert listed == {key: life.status(now) for key, life in lives.items()}


def change(
    conn: Connection,
    what: str,
    key_id: str,
    new_id: str,
    lives: dict[str, Life],
    grace: int | None,
    now: datetime,
) -> None:
    """Revoke or rotate a key, and note what should become of it."""
    life = lives[key_id]
    if what == "revoke":
        revoke(conn, key_id, now=now)
        life.revoked_at = min(life.revoked_at or now, now)
    elif life.status(now) == "active" and not life.rotated:
        rotate(conn, key_id, new_id, grace=None if grace is None else f"{grace}h", now=now)
        life.revoked_at, life.rotated = now + (grace or 0) * HOUR, True
        lives[new_id] = Life(life.expires_at)


def sent_by_all(url: str, work: Callable[[Connection, int], Json]) -> list[Json | str]:
    """What `work` answers to each session, or the rule for which it is refused."""

    def send(conn: Connection, number: int) -> Json:
        try:
            return work(conn, number)
        except psycopg.Error as error:
            return {"refused": error.diag.constraint_name}

    return [answer.get("refused", answer) for answer in at_once(url, send)]


@pytest.mark.native_only("many sessions at once")
def test_a_key_that_all_rotate_at_once_is_rotated_once(fresh_database: str) -> None:
    with psycopg.connect(fresh_database, autocommit=True) as conn:
        create(conn)
    answers = sent_by_all(
        fresh_database, lambda conn, number: rotate(conn, new_id=f"bbbbbbb{number}")
    )
    assert answers.count("key_rotated_once") == SESSIONS - 1


@pytest.mark.native_only("many sessions at once")
def test_a_request_that_all_send_at_once_creates_one_key(fresh_database: str) -> None:
    answers = sent_by_all(
        fresh_database, lambda conn, number: create(conn, f"aaaaaaa{number}", again="first")
    )
    assert len({answer["id"] for answer in answers if isinstance(answer, dict)}) == 1
    with psycopg.connect(fresh_database) as conn:
        assert len(list_keys(conn)["items"]) == 1


@pytest.mark.native_only("many sessions at once")
def test_all_together_do_not_exceed_the_quota(fresh_database: str) -> None:
    with psycopg.connect(fresh_database, autocommit=True) as conn:
        conn.execute("update data.quota set value = 3 where name = 'api_keys'")
    answers = sent_by_all(fresh_database, lambda conn, number: create(conn, f"aaaaaaa{number}"))
    assert answers.count("count_within_quota") == SESSIONS - 3
