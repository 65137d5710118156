"""POST /query/sql."""

from __future__ import annotations

import httpx
import pytest

from tests.rest.conftest import slug_of


def ask(http: httpx.Client, sql: str, **more: object) -> httpx.Response:
    return http.post("/query/sql", json={"sql": sql, **more})


def test_a_statement_is_answered_with_columns_and_rows(http: httpx.Client, name: str) -> None:
    http.post("/ingest/metrics", json={"name": name, "source": "me", "value": 2.5})
    answer = ask(http, f"select kind, value from metrics where kind = '{name}'")
    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "columns": ["kind", "value"],
        "rows": [[name, 2.5]],
        "truncated": False,
    }


def test_an_error_has_its_position_and_a_hint(http: httpx.Client) -> None:
    answer = ask(http, "select kidn from kinds")
    assert (answer.status_code, slug_of(answer)) == (422, "statement_valid")
    problem = answer.json()
    assert problem["detail"] == 'column "kidn" does not exist'
    assert "kinds.kind" in problem["hint"]
    assert problem["params"] == {"field": "sql", "position": 8, "sqlstate": "42703"}


@pytest.mark.parametrize(
    ("sql", "hint"),
    [
        ("select 1/0", "Correct what the statement computes"),
        ("select percentile(null, 95)", "Send a share of 0 to 1, such as 0.95."),
        # PostgreSQL would propose a trigger.
        ("delete from kinds", "Send one SELECT on the views"),
        ("insert into kinds values (1)", "Send one SELECT on the views"),
    ],
)
def test_an_error_says_what_somebody_who_may_read_can_do(
    http: httpx.Client, sql: str, hint: str
) -> None:
    assert ask(http, sql).json()["hint"].startswith(hint)


def test_a_value_that_no_server_holds_is_over_the_limits(http: httpx.Client) -> None:
    answer = ask(http, "select repeat('x', 2000000000)")
    assert (answer.status_code, slug_of(answer)) == (422, "statement_within_limits")
    problem = answer.json()
    assert problem["title"] == "Statement needs too much"
    assert problem["hint"].startswith("Sort and group fewer rows")
    assert problem["params"] == {"field": "sql", "sqlstate": "54000"}


def test_a_statement_takes_no_lock(http: httpx.Client) -> None:
    assert slug_of(ask(http, "select pg_advisory_lock(7341)")) == "statement_reads"


def test_a_statement_that_ends_a_parenthesis_is_refused(http: httpx.Client) -> None:
    assert slug_of(ask(http, "select 1) as x; drop table data.sample; --")) == "statement_valid"


@pytest.mark.parametrize(
    ("body", "slug"),
    [
        ({}, "parameter_required"),
        ({"sql": ""}, "statement_present"),
        ({"sql": "x" * 10_001}, "sql_within_limit"),
        ({"sql": "select 1", "limit": 1001}, "limit_in_range"),
        ({"sql": "select 1", "role": "postgres"}, "parameter_known"),
    ],
)
def test_a_bad_question_is_refused(http: httpx.Client, body: dict[str, object], slug: str) -> None:
    answer = http.post("/query/sql", json=body)
    assert (answer.status_code, slug_of(answer)) == (422, slug)
