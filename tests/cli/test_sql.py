"""supervisor-mcp sql: rows as a table, and where in a statement an error is."""

from __future__ import annotations

import json
import subprocess
import time

import httpx
import pytest

from tests.support import command_line, scripted
from tests.support.command_line import Service


def test_rows_are_columns_where_there_is_no_terminal(service: Service, name: str) -> None:
    item = {"name": name, "source": "me", "value": 2.5}
    httpx.post(f"{service.url}/ingest/metrics", json=item).raise_for_status()
    done = service.run("sql", f"select kind, value, unit from metrics where kind = '{name}'")
    assert (done.returncode, done.stdout) == (0, f"kind\tvalue\tunit\n{name}\t2.5\t\n")


def test_json_is_the_answer_of_the_service(service: Service) -> None:
    done = service.run("sql", "select 1 as one", "--json")
    assert json.loads(done.stdout) == {"columns": ["one"], "rows": [[1]], "truncated": False}


def test_what_is_left_out_is_said(service: Service) -> None:
    done = service.run("sql", "select * from generate_series(1, 3)", "--limit", "2")
    assert done.stdout == "generate_series\n1\n2\n"
    assert done.stderr == "There are more. Raise --limit, or select less.\n"
    assert service.run("sql", "select 1 where false").stderr == "There are no rows.\n"


def test_a_statement_keeps_others_waiting_for_two_seconds_on_the_embedded_database(
    service: Service,
) -> None:
    before = time.monotonic()
    done = service.run("sql", "select count(*) from generate_series(1, 10000000000)")
    assert "the request exceeded its time limit" in done.stderr
    assert "name a kind and a range of bucket or ts" in done.stderr
    # Less than the 10 s of a server where nobody waits.
    assert time.monotonic() - before < 9


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        (
            "select kidn from kinds",
            'column "kidn" does not exist (line 1, column 8)\n'
            'Hint: Perhaps you meant to reference the column "kinds.kind".\n',
        ),
        (
            "select 'é',\n  kidn\nfrom kinds",
            'column "kidn" does not exist (line 2, column 3)\n'
            'Hint: Perhaps you meant to reference the column "kinds.kind".\n',
        ),
        (
            "select 1 / 0",
            "division by zero\n"
            "Hint: Correct what the statement computes, or leave those rows out.\n",
        ),
    ],
)
def test_an_error_has_its_place_and_a_hint(service: Service, statement: str, error: str) -> None:
    done = service.run("sql", statement)
    assert (done.returncode, done.stderr) == (4, error)


def test_everything_of_rows_is_printed_and_the_limit_sent() -> None:
    answer = {"columns": ["kind", "value"], "rows": [["cpu", 2.5]], "truncated": True}
    with scripted.service({"POST /query/sql": answer}) as service:
        done = service.run("sql", "select 1")
        drawn = service.draw("sql", "select 1", "--limit", "5")
    assert service.sent == [{"sql": "select 1", "limit": 100}, {"sql": "select 1", "limit": 5}]
    assert done.stdout == "kind\tvalue\ncpu\t2.5\n"
    assert done.stderr == "There are more. Raise --limit, or select less.\n"
    assert "│" in drawn


def test_json_and_booleans_of_rows_are_printed_as_json() -> None:
    row = ["cpu", {"region": "eu"}, ["a", 1], True]
    answer = {"columns": ["kind", "labels", "list", "up"], "rows": [row], "truncated": False}
    with scripted.service({"POST /query/sql": answer}) as service:
        done = service.run("sql", "select 1")
        drawn = service.draw("sql", "select 1")
    assert done.stdout == 'kind\tlabels\tlist\tup\ncpu\t{"region": "eu"}\t["a", 1]\ttrue\n'
    assert '│ cpu  │ {"region": "eu"} │ ["a", 1] │ true │' in drawn


def test_a_statement_is_read_from_standard_input() -> None:
    answer = {"columns": ["one"], "rows": [], "truncated": False}
    with scripted.service({"POST /query/sql": answer}) as service:
        done = subprocess.run(
            [*command_line.COMMAND, "sql", "-"],
            input="select 1 as one",
            env={**command_line.environment(), "SUPERVISOR_URL": service.url},
            capture_output=True,
            check=False,
            text=True,
            timeout=60,
        )
    assert service.sent == [{"sql": "select 1 as one", "limit": 100}]
    assert (done.stdout, done.stderr) == ("one\n", "There are no rows.\n")


def test_an_error_without_a_place_stays_as_it_is() -> None:
    problem = {
        "type": "urn:supervisor-mcp:problem:statement_valid",
        "title": "Invalid statement",
        "status": 422,
        "detail": "no statement",
        "hint": "Send one.",
    }
    with scripted.service({"POST /query/sql": (422, problem)}) as service:
        done = service.run("sql", "")
    assert (done.returncode, done.stderr) == (4, "no statement\nHint: Send one.\n")
