"""What ends a command early."""

from __future__ import annotations

from supervisor_mcp.cli import failure
from supervisor_mcp.cli.failure import Failure, one_line


def test_exit_statuses_are_those_that_help_lists() -> None:
    assert Failure("It failed.").status == failure.FAILED == 1
    assert (failure.USAGE, failure.UNREACHABLE, failure.REFUSED) == (2, 3, 4)
    # As of programs that a signal ended: SIGINT and SIGPIPE.
    assert (failure.INTERRUPTED, failure.OUTPUT_CLOSED) == (128 + 2, 128 + 13)


def test_a_failure_as_json_is_the_error_of_the_service_with_a_hint_that_names_commands() -> None:
    problem = {"status": 404, "hint": "Call list_kinds."}
    local = Failure("No such file.", failure.USAGE, hint="Create it.")
    assert local.as_json() == {"detail": "No such file.", "hint": "Create it.", "status": 2}
    assert Failure("x", hint="Run kinds.", problem=problem).as_json() == {
        "status": 404,
        "hint": "Run kinds.",
    }
    assert Failure("x", problem=problem).as_json() == problem
    assert Failure("x", problem={}).as_json() == {}


def test_the_error_of_a_library_is_one_line() -> None:
    assert one_line(ValueError("connection failed:\n  refused\t(twice)")) == (
        "connection failed: refused (twice)"
    )
