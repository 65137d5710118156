"""Which problem a database error becomes: the table of the error contract."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from psycopg import Connection
from psycopg.sql import SQL, Literal

from supervisor_mcp.errors import (
    REGISTRY,
    Problem,
    as_cause,
    from_database,
    from_statement,
    is_outage,
)
from tests.support.repository import ROOT


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


def refused(state: str | None, **fields: str) -> psycopg.Error:
    """An error with these fields, without a server."""
    names = (
        *("context", "message_primary", "message_hint", "message_detail", "constraint_name"),
        *("column_name", "internal_position", "internal_query", "source_function"),
    )
    diag = SimpleNamespace(**dict.fromkeys(names) | fields)
    made: Any = type("Refused", (psycopg.Error,), {"sqlstate": state, "diag": diag})
    error: psycopg.Error = made("refused")
    return error


SQL_SENT = "select 1 / x"
SEND_ONE = "Send one SELECT on the views of schema analytics; supervisor://schema lists them."
CORRECT = "Correct what the statement computes, or leave those rows out."


@pytest.mark.parametrize(
    ("state", "fields", "detail", "hint", "params"),
    [
        (
            "22012",
            {"message_primary": "division", "internal_position": "8", "internal_query": SQL_SENT},
            "division",
            CORRECT,
            {"position": 8},
        ),
        (
            "22012",
            {"internal_position": "8", "internal_query": "x"},
            "the statement failed",
            CORRECT,
            {},
        ),
        ("22012", {"internal_query": SQL_SENT}, "the statement failed", CORRECT, {}),
        ("22012", {"message_hint": "secret"}, "the statement failed", CORRECT, {}),
        (
            "22023",
            {"message_hint": "Send a share.", "source_function": "exec_stmt_raise"},
            "the statement failed",
            "Send a share.",
            {},
        ),
        ("42703", {"message_primary": "no x"}, "no x", SEND_ONE, {}),
        ("42703", {"message_hint": "Perhaps y."}, "the statement failed", "Perhaps y.", {}),
        ("0A000", {"message_hint": "secret"}, "the statement failed", SEND_ONE, {}),
    ],
)
def test_a_statement_of_a_client_that_fails_is_its_problem(
    state: str, fields: dict[str, str], detail: str, hint: str, params: dict[str, object]
) -> None:
    error = refused(state, context="SQL function internal.run_statement", **fields)
    problem = from_statement(error, SQL_SENT)
    assert problem is not None
    assert problem.body(None) == {
        "type": "urn:supervisor-mcp:problem:statement_valid",
        "title": "Statement failed",
        "status": 422,
        "detail": detail,
        "hint": hint,
        "params": {"field": "sql", "sqlstate": state} | params,
    }


@pytest.mark.parametrize("state", ["53200", "53400", "54000"])
@pytest.mark.parametrize(
    ("fields", "detail"),
    [({"message_primary": "too much"}, "too much"), ({}, "the statement needs too much")],
)
def test_a_statement_that_needs_too_much_is_no_outage(
    state: str, fields: dict[str, str], detail: str
) -> None:
    error = refused(state, context="internal.run_statement", **fields)
    problem = from_statement(error, SQL_SENT)
    assert problem is not None
    assert (problem.slug, problem.status, problem.detail) == (
        "statement_within_limits",
        422,
        detail,
    )
    assert problem.params == {"field": "sql", "sqlstate": state}


def test_a_statement_that_takes_too_long_has_a_hint_of_its_own() -> None:
    error = refused("57014", context="internal.run_statement")
    problem = from_statement(error, SQL_SENT)
    assert problem is not None
    assert (problem.slug, str(problem.hint).partition(":")[0]) == ("too_slow", "Read fewer rows")


@pytest.mark.parametrize(
    "error",
    [
        refused("22012"),
        refused("22012", context="SQL function api.query_sql"),
        refused("53300", context="internal.run_statement"),
        refused("57P01", context="internal.run_statement"),
    ],
)
def test_what_is_not_of_the_statement_is_no_problem_of_it(error: psycopg.Error) -> None:
    assert from_statement(error, SQL_SENT) is None


@pytest.mark.parametrize(
    ("error", "slug", "outage"),
    [
        (psycopg.DataError(), "value_invalid", False),
        (psycopg.OperationalError(), "unavailable", True),
        (psycopg.ProgrammingError(), "internal", False),
        (refused("53100"), "unavailable", True),
        (refused("23514"), "internal", False),
        (refused("22003", constraint_name="x_known"), "value_invalid", False),
    ],
)
def test_an_error_without_a_state_or_a_rule_is_one_of_its_class(
    error: psycopg.Error, slug: str, outage: bool
) -> None:
    assert from_database(error).slug == slug
    assert is_outage(error) is outage


@pytest.mark.parametrize("detail", [None, "", "no JSON", "[1]"])
def test_an_error_of_ours_without_its_fields_is_a_problem_all_the_same(detail: str | None) -> None:
    fields = {} if detail is None else {"message_detail": detail}
    problem = from_database(refused("SV422", **fields))
    assert problem.body(None) == {
        "type": "urn:supervisor-mcp:problem:internal",
        "title": "Internal error",
        "status": 422,
        "detail": "",
    }


def test_a_problem_of_the_application_has_the_documented_status() -> None:
    document = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    documented = dict(re.findall(r"^\| `([a-z_]+)` \| (\d+) \|", document, re.MULTILINE))
    assert {slug: str(Problem(slug, "").status) for slug in REGISTRY} == {
        slug: documented.get(slug) for slug in REGISTRY
    }


def test_a_problem_without_a_status_is_one_of_the_service() -> None:
    assert (Problem("kind_unknown", "").status, Problem("busy", "").status) == (500, 503)


def test_a_problem_can_be_raised_again_as_another_error() -> None:
    problem = Problem("kind_unknown", "no x", hint="Look.", params={"field": "kind"}, status=404)
    again = problem.again()
    assert again is not problem
    assert again.body("r1") == problem.body("r1")
    assert str(again) == "kind_unknown: no x"


def test_the_cause_of_a_problem_has_no_frames() -> None:
    with pytest.raises(psycopg.DataError) as raised:
        raise psycopg.DataError
    assert as_cause(raised.value).__traceback__ is None
