from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version

import pytest

from tests.support import command_line
from tests.support.command_line import Service

COMMANDS = (
    "up",
    "deploy",
    "mcp",
    "generate",
    "import",
    "export",
    "agg",
    "series",
    "kinds",
    "facts",
    "changes",
    "kpis",
    "servers",
    "server",
    "register",
    "deregister",
    "heartbeat",
    "report",
    "health",
    "maintenance",
    "sla",
    "alert-rules",
    "alerts",
    "backtest",
    "subscriptions",
    "keys",
    "demo",
    "policies",
    "pins",
    "doctor",
    "sql",
    "restatements",
    "snapshots",
)
# What commands need, and `--help` and the completion of the shell do not.
SLOW = {"httpx", "pydantic", "rich", "psycopg", "fastmcp", "stamina", "asyncio"}


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_lists_the_commands(option: str) -> None:
    done = command_line.run(option, env={})
    assert done.returncode == 0
    for command in COMMANDS:
        assert f"\n  {command} " in done.stdout
    assert "..." not in done.stdout.partition("Commands:")[2]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str) -> None:
    done = command_line.run(command, "-h", env={})
    assert done.returncode == 0
    assert f"supervisor-mcp {command}" in done.stdout
    assert "-h, --help" in done.stdout


def test_help_describes_completion_and_exit_statuses() -> None:
    shown = command_line.run("--help", env={}).stdout
    assert "--install-completion" in shown
    assert "--show-completion" in shown
    assert "Exit status: 0 success, 1 failed" in " ".join(shown.split())


def test_without_arguments_the_commands_are_listed() -> None:
    done = command_line.run(env={})
    assert done.returncode == 2
    assert "\n  kinds " in done.stdout + done.stderr


@pytest.mark.parametrize("more", [(), ("--help",)])
def test_the_version_is_that_of_the_package(more: tuple[str, ...]) -> None:
    done = command_line.run("--version", *more, env={})
    assert (done.returncode, done.stdout) == (0, f"supervisor-mcp {version('supervisor-mcp')}\n")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_of_a_shell_can_be_shown(shell: str) -> None:
    done = command_line.run(env={"_SUPERVISOR_MCP_COMPLETE": f"source_{shell}"})
    assert done.returncode == 0
    assert "_SUPERVISOR_MCP_COMPLETE" in done.stdout


def test_declaring_the_commands_imports_nothing_slow() -> None:
    program = "import sys, supervisor_mcp.cli.main; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-P", "-c", program],
        env=command_line.environment(),
        capture_output=True,
        check=True,
        text=True,
    )
    assert SLOW.isdisjoint(done.stdout.split())


@pytest.mark.parametrize("arguments", [("agg", "--windw", "7d"), ("nonsense",), ("import",), ()])
def test_wrong_arguments_end_with_status_2(arguments: tuple[str, ...]) -> None:
    done = command_line.run(*arguments, env={})
    assert done.returncode == 2
    assert "Usage: supervisor-mcp" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("kinds", "--limit", "x"), "'--limit': Send a whole number."),
        (("kinds", "--limit", "0"), "'--limit': Send 1 or more."),
        (("kinds", "--limit", "1001"), "'--limit': Send 1000 or less."),
        (
            ("alert-rules", "suggest", "a", "--per-month", "x"),
            "'--per-month': Send a whole number.",
        ),
        (("report", "a", "up", "--latency-ms", "x"), "'--latency-ms': Send a number."),
        (("report", "a", "dead"), "'STATUS': 'dead' is not one of 'up', 'degraded', 'down'."),
    ],
)
def test_a_wrong_argument_is_answered_with_what_to_send(
    arguments: tuple[str, ...], expected: str
) -> None:
    for form in ((), ("--json",)):
        done = command_line.run(*arguments, *form, env={})
        assert done.returncode == 2
        assert f"Invalid value for {expected}" in done.stderr


@pytest.mark.parametrize(("typed", "meant"), [("kind", "kinds"), ("serie", "series")])
def test_an_unknown_command_gets_the_nearest_name(typed: str, meant: str) -> None:
    assert f"Did you mean '{meant}'" in command_line.run(typed, env={}).stderr


def test_a_setting_that_cannot_be_read_is_named() -> None:
    done = command_line.run("kinds", env={"SUPERVISOR_PORT": "many"})
    assert done.returncode == 2
    assert done.stderr.startswith("SUPERVISOR_PORT is 'many'")


@pytest.mark.parametrize("command", ["up", "mcp", "kinds"])
def test_an_unknown_log_level_is_refused_with_the_known_ones(command: str) -> None:
    done = command_line.run(command, env={"SUPERVISOR_LOG_LEVEL": "nonsense"})
    assert done.returncode == 2
    assert done.stderr.startswith("SUPERVISOR_LOG_LEVEL is 'nonsense'")
    assert "'debug', 'info', 'warning' or 'error'" in done.stderr


@pytest.mark.parametrize(
    "url", ["nonsense", "ftp://127.0.0.1", "http://", "http://[::1", "http://127.0.0.1:99999"]
)
def test_a_bad_service_url_ends_with_status_2(url: str) -> None:
    done = command_line.run("kinds", env={"SUPERVISOR_URL": url})
    assert done.returncode == 2
    assert f'SUPERVISOR_URL is "{url}"' in done.stderr
    assert "http://127.0.0.1:8080" in done.stderr


def test_a_login_in_the_service_url_is_not_shown() -> None:
    for url in ("http://me:secret@127.0.0.1:1", "gopher://me:secret@127.0.0.1"):
        done = command_line.run("kinds", env={"SUPERVISOR_URL": url})
        assert "127.0.0.1" in done.stderr
        assert "secret" not in done.stderr


def _error(done: subprocess.CompletedProcess[str]) -> dict[str, object]:
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    error: dict[str, object] = json.loads(line)
    return error


@pytest.mark.parametrize(
    ("arguments", "env", "status"),
    [
        (("kinds", "--limt", "3", "--json"), {}, 2),
        (("--json",), {}, 2),
        (("kinds", "--json"), {"SUPERVISOR_URL": "nonsense"}, 2),
        (("kinds", "--json"), {"SUPERVISOR_PORT": "many"}, 2),
        (("import", "none.csv", "--label", "x", "--json"), {}, 2),
        (("kinds", "--json"), {"SUPERVISOR_URL": "http://127.0.0.1:1"}, 3),
    ],
)
def test_with_json_a_local_failure_is_an_object(
    arguments: tuple[str, ...], env: dict[str, str], status: int
) -> None:
    done = command_line.run(*arguments, env=env)
    error = _error(done)
    assert done.returncode == error["status"] == status
    assert set(error) == {"detail", "hint", "status"}


def test_with_json_a_wrong_option_names_the_help_of_the_command() -> None:
    error = _error(command_line.run("kpis", "list", "--limt", "3", "--json", env={}))
    assert str(error["detail"]).startswith("No such option: --limt")
    assert error["hint"] == "Run `supervisor-mcp kpis list --help` for the arguments."


def test_an_argument_after_two_hyphens_is_no_option() -> None:
    nobody = {"SUPERVISOR_URL": "http://127.0.0.1:1"}
    done = command_line.run("agg", "--", "--json", env=nobody)
    assert done.returncode == 3
    assert done.stderr.startswith("No service answers at ")


def test_with_json_a_refusal_is_the_error_of_the_service(service: Service) -> None:
    done = service.run("agg", "nobody_sends_this", "--json")
    error = _error(done)
    assert done.returncode == 4
    assert error["type"] == "urn:supervisor-mcp:problem:kind_unknown"
    assert error["status"] == 404
