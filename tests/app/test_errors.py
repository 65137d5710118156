"""Which problem a database error becomes: the table of the error contract."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import Connection
from psycopg.sql import SQL, Literal

from supervisor_mcp.errors import Problem, from_database


def problem_of(db: Connection, sqlstate: str, **fields: str) -> Problem:
    """What an error with these fields becomes, raised by the real server."""
    given = [SQL("errcode = {}").format(Literal(sqlstate))]
    given += [SQL(name).format() + SQL(" = {}").format(Literal(v)) for name, v in fields.items()]
    body = SQL("begin raise exception using {}; end").format(SQL(", ").join(given))
    with pytest.raises(psycopg.Error) as raised, db.transaction():
        db.execute(SQL("do {}").format(Literal(body.as_string(db))))
    return from_database(raised.value)


@pytest.mark.parametrize("status", [404, 409, 413, 422, 429])
def test_an_error_of_ours_has_the_status_of_its_state(db: Connection, status: int) -> None:
    problem = problem_of(
        db,
        f"SV{status}",
        constraint="kind_unknown",
        message="There is no kind.",
        hint="Look.",
        column="kind",
        detail='{"items": [1]}',
    )
    assert problem.body("r1") == {
        "type": "urn:supervisor-mcp:problem:kind_unknown",
        "title": "Unknown kind",
        "status": status,
        "detail": "There is no kind.",
        "hint": "Look.",
        "params": {"items": [1], "field": "kind"},
        "request_id": "r1",
    }


@pytest.mark.parametrize(
    ("sqlstate", "slug", "status"),
    [
        ("23502", "value_required", 422),
        ("22003", "value_invalid", 422),
        ("22P02", "value_invalid", 422),
        ("42501", "forbidden", 403),
        ("40001", "busy", 503),
        ("40P01", "busy", 503),
        ("08006", "unavailable", 503),
        ("53300", "unavailable", 503),
        ("57P01", "unavailable", 503),
        ("57014", "too_slow", 504),
        ("42883", "internal", 500),
        ("XX000", "internal", 500),
        ("P0001", "internal", 500),
    ],
)
def test_a_class_of_errors_has_a_problem_that_tells_nothing_of_the_inside(
    db: Connection, sqlstate: str, slug: str, status: int
) -> None:
    problem = problem_of(db, sqlstate, message="secret", detail="secret", hint="secret")
    assert (problem.slug, problem.status) == (slug, status)
    assert "secret" not in str(problem.body(None))


@pytest.mark.parametrize(("sqlstate", "status"), [("23505", 409), ("23503", 409), ("23514", 422)])
@pytest.mark.parametrize("prefix", ["", "32_", "1_1_", "_hyper_3_2_chunk_"])
def test_a_broken_rule_is_named_without_the_chunk(
    db: Connection, sqlstate: str, status: int, prefix: str
) -> None:
    problem = problem_of(db, sqlstate, constraint=f"{prefix}sample_once", detail="Key (a)=(secret)")
    assert (problem.slug, problem.status) == ("sample_once", status)
    assert "secret" not in str(problem.body(None))


def test_a_double_row_in_a_hypertable_is_named_by_its_rule(db: Connection) -> None:
    insert = (
        "insert into data.sample (series_id, kind_id, ts, seq, value, observations, counter)"
        " values (1, 1, '2026-01-01', 0, 1, 1, false)"
    )
    db.execute(insert)
    with pytest.raises(psycopg.Error) as raised, db.transaction():
        db.execute(insert)
    assert from_database(raised.value).slug == "sample_once"


def test_text_that_cannot_be_sent_is_the_senders_fault(db: Connection) -> None:
    with pytest.raises(psycopg.Error) as raised:
        db.execute("select %s", ["\0"])
    assert from_database(raised.value).slug == "value_invalid"


@pytest.mark.parametrize(
    ("slug", "title"),
    [
        ("timezone_known", "Unknown timezone"),
        ("window_well_formed", "Malformed window"),
        ("limit_in_range", "Limit out of range"),
        ("batch_within_limit", "Batch over the limit"),
        ("from_before_to", "Empty range"),
        ("items_refused", "Items refused"),
        ("body_in_time", "Body too slow"),
    ],
)
def test_a_title_says_what_is_wrong(slug: str, title: str) -> None:
    assert Problem(slug, "").title == title


@pytest.mark.parametrize(("slug", "seconds"), [("busy", 1), ("unavailable", 1), ("internal", None)])
def test_what_may_be_tried_again_says_when(slug: str, seconds: int | None) -> None:
    assert Problem(slug, "").retry_after == seconds


def test_a_full_quota_has_no_pause_unless_sql_knows_one(db: Connection) -> None:
    assert problem_of(db, "SV429", constraint="q", message="full").retry_after is None


@pytest.mark.parametrize(("sent", "seconds"), [("90", 90), ("0.2", 1), ("89.1", 90), ("-5", 1)])
def test_the_pause_that_sql_computes_is_sent_in_whole_seconds(
    db: Connection, sent: str, seconds: int
) -> None:
    detail = f'{{"retry_after_seconds": {sent}}}'
    problem = problem_of(db, "SV429", constraint="q", message="full", detail=detail)
    assert problem.retry_after == seconds
    assert problem.params == {"retry_after_seconds": float(sent)}


def test_a_pause_that_is_no_number_is_ignored() -> None:
    assert Problem("q", "", status=429, params={"retry_after_seconds": "soon"}).retry_after is None
