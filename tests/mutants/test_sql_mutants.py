"""The mutator of SQL: what it changes, and what it leaves alone."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from mutants.mutant import Mutant
from mutants.sql_operators import mutants
from tests.support.repository import ROOT

CODE = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("sql/functions/**/*.sql"))
# What a body in SQL that is read when it is created may name or compare wrongly, and a file that
# does not look whether its trigger is there.
RESOLVED = (
    None,
    psycopg.errors.UndefinedFunction,
    psycopg.errors.DatatypeMismatch,
    psycopg.errors.DuplicateObject,
)
LITERAL = re.compile(r"--[^\n]*|'(?:[^']|'')*'")
NUMBER = re.compile(r"\d+")


@cache
def of(path: str) -> list[Mutant]:
    return mutants(path, (ROOT / path).read_text())


def replacements(text: str, operator: str | None = None) -> list[str]:
    return [each.mutated for each in mutants("x.sql", text) if operator in {None, each.operator}]


ANY_MUTANT = st.sampled_from(CODE).flatmap(
    lambda path: st.sampled_from(found) if (found := of(path)) else st.nothing()
)


@given(ANY_MUTANT)
def test_a_mutant_differs_in_its_one_place(mutant: Mutant) -> None:
    assert mutant.mutated != mutant.text
    assert mutant.mutated.startswith(mutant.text[: mutant.start])
    assert mutant.mutated.endswith(mutant.text[mutant.end :])
    length = len(mutant.mutated) - len(mutant.text)
    assert length == len(mutant.replacement) - (mutant.end - mutant.start)


@given(ANY_MUTANT)
def test_comments_and_strings_stay_but_for_lengths_of_time(mutant: Mutant) -> None:
    cut = LITERAL.findall(mutant.text[mutant.start : mutant.end])
    kept = LITERAL.findall(mutant.replacement)
    before, after = LITERAL.findall(mutant.text), LITERAL.findall(mutant.mutated)
    if mutant.operator == "interval":
        assert [NUMBER.sub("0", text) for text in before] == [
            NUMBER.sub("0", text) for text in after
        ]
    else:
        # What is taken out takes its own strings along; no other one changes.
        assert len(before) - len(after) == len(cut) - len(kept)
        assert set(after) <= set(before)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(mutant=ANY_MUTANT)
def test_a_mutant_is_still_a_function_to_postgres(db: Connection, mutant: Mutant) -> None:
    failed: type[psycopg.Error] | None = None
    try:
        with db.transaction(force_rollback=True):
            db.execute(mutant.mutated.encode())
    except psycopg.Error as error:
        failed = type(error)
    assert failed in RESOLVED


@given(ANY_MUTANT)
def test_the_key_of_a_mutant_is_its_own(mutant: Mutant) -> None:
    keys = [each.key for each in of(mutant.path)]
    assert keys.count(mutant.key) == 1


@pytest.mark.parametrize(
    ("text", "operator", "expected"),
    [
        ("select a < b", "comparison", ["select a <= b"]),
        ("select a <> b", "comparison", ["select a = b"]),
        ("select a and b", "logic", ["select a or b"]),
        ("select a between 1 and 2", "logic", []),
        ("create or replace view a as select 1", "logic", []),
        (
            "select array_agg(a order by b desc, c)",
            "order",
            ["select array_agg(a)", "select array_agg(a order by b, c desc)"],
        ),
        (
            "select a from b order by f(c, d) nulls last limit 1",
            "order",
            ["select a from b limit 1", "select a from b order by f(c, d) desc nulls last limit 1"],
        ),
        (
            "select mode() within group (order by a)",
            "order",
            ["select mode() within group (order by a desc)"],
        ),
        ("select count(*) filter (where (a))", "filter", ["select count(*)"]),
        ("select interval '1 hour'", "interval", ["select interval '2 hour'"]),
        ("select '{\"grace\": \"7 days\"}'", "interval", ["select '{\"grace\": \"14 days\"}'"]),
        ("select 'Send 1 to 7 days.'", None, []),
        ("select min(a), b.min", "extreme", ["select max(a), b.min"]),
        ("select coalesce(f(a, b), c)", "default", ["select (f(a, b))"]),
        ("select 9, $1, a[1], b::numeric(9, 2)", "integer", [
            "select 10, $1, a[1], b::numeric(9, 2)",
            "select 9, $1, a[2], b::numeric(9, 2)",
        ]),
        ("select a from b group by 1, 2", "integer", []),
        ("set a = 1; update b set c = d, e = f where g = h", "comparison", [
            "set a = 1; update b set c = d, e = f where g <> h",
        ]),
        (
            "update a set b = case when c then d end, detail = e",
            "comparison",
            [],
        ),
        ("get stacked diagnostics a = message_text; return b = c;", "comparison", [
            "get stacked diagnostics a = message_text; return b <> c;",
        ]),
        ("exception when data_exception or raise_exception then return;", "logic", []),
        ("when sqlstate 'SV000' or lock_not_available or data_exception then", "logic", []),
        ("when unique_violation or data_exception or sqlstate 'SV000' then", "logic", []),
        ("insert into a select b -- c\norder by d on conflict do nothing", "order", [
            "insert into a select b -- c\n on conflict do nothing",
            "insert into a select b -- c\norder by d desc on conflict do nothing",
        ]),
        ("grant a to b; revoke c from d;", "privilege", [" revoke c from d;", "grant a to b; "]),
    ],
)  # fmt: skip
def test_an_operator_changes(text: str, operator: str | None, expected: list[str]) -> None:
    assert sorted(replacements(text, operator)) == sorted(expected)


def test_a_body_between_dollars_is_code_and_a_text_is_not() -> None:
    body = "create function f() as $$ select format($x$select 1 < %1$s$x$, $y$1 < 2$y$) $$"
    assert replacements(body, "comparison") == [body.replace("1 < %", "1 <= %")]


def test_conditions_of_errors_are_not_comparisons() -> None:
    text = "raise exception 'x' using errcode = 'SV422', constraint = 'a', hint = 'b';"
    assert replacements(text) == []


def test_every_kind_of_change_is_found_in_the_sql_of_this_repository() -> None:
    files = [*CODE, "sql/grants.sql"]
    found = {each.operator for path in files for each in of(path)}
    assert found == {
        "comparison", "logic", "order", "filter", "interval", "extreme", "default", "integer",
        "privilege",
    }  # fmt: skip


def test_the_line_of_a_clause_is_where_its_words_begin() -> None:
    text = "select a\nfrom b\norder by c"
    dropped = next(each for each in mutants("x.sql", text) if each.replacement == "")
    assert (dropped.line, Path(dropped.path).name) == (3, "x.sql")
