"""supervisor-mcp maintenance: windows are listed, planned, changed and cancelled."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest

from tests.support.command_line import Service

BY = ("--author", "ann", "--reason", "new database")
LATER = ("--from", "2098-01-01T00:00:00Z", "--to", "2099-01-01T00:00:00Z")
COLUMNS = ["id", "status", "from", "to", "servers", "author", "reason"]


@pytest.fixture
def window() -> str:
    """The name of a window that no other test uses."""
    return f"window-{uuid4().hex[:12]}"


def plan(service: Service, window: str, *arguments: str) -> dict[str, str]:
    """What planning a window prints, by field."""
    done = service.run("maintenance", "plan", window, *BY, *arguments)
    assert done.returncode == 0, done.stderr
    return dict(line.split("\t") for line in done.stdout.splitlines())


def test_a_window_is_planned_and_listed(service: Service, server: str, window: str) -> None:
    times = ["2098-01-01T00:00:00+00:00", "2099-01-01T00:00:00+00:00"]
    shown = [window, "planned", *times, server, "ann", "new database"]
    planned = plan(service, window, "--server", server, *LATER)
    assert [planned[name] for name in COLUMNS[1:]] == shown[1:]
    assert planned["restated"] == "0"
    listed = service.run("maintenance", "--server", server)
    assert [line.split("\t") for line in listed.stdout.splitlines()] == [COLUMNS, shown]


def test_a_change_of_time_that_has_passed_says_that_the_sla_is_restated(
    service: Service, server: str, window: str
) -> None:
    past = ("--from", "2026-01-01T00:00:00Z", "--to", "2099-01-01T00:00:00Z")
    done = service.run("maintenance", "plan", window, *BY, "--server", server, *past)
    assert "restated\t1\n" in done.stdout
    assert "1 server is restated" in done.stderr
    assert f"`supervisor-mcp sla {server}`" in done.stderr


def test_a_window_keeps_its_servers_and_the_same_content_changes_nothing(
    service: Service, server: str, window: str
) -> None:
    plan(service, window, "--server", server, *LATER)
    done = service.run("maintenance", "plan", window, *BY, *LATER)
    assert server in done.stdout
    assert done.stderr == "Nothing has changed.\n"


def test_a_window_is_cancelled(service: Service, server: str, window: str) -> None:
    plan(service, window, "--server", server, *LATER)
    done = service.run("maintenance", "cancel", window, *BY)
    assert "status\tcancelled\n" in done.stdout
    assert service.run("maintenance", "--server", server).stderr == (
        "No windows match. `supervisor-mcp maintenance` lists them without filters.\n"
    )


def test_the_answers_are_json_on_request(service: Service, server: str, window: str) -> None:
    done = service.run("maintenance", "plan", window, *BY, *LATER, "--server", server, "--json")
    assert json.loads(done.stdout)["changed"] is True
    listed = json.loads(service.run("maintenance", "--server", server, "--json").stdout)
    assert [item["id"] for item in listed["items"]] == [window]
    done = service.run("maintenance", "cancel", window, *BY, "--json")
    assert json.loads(done.stdout)["status"] == "cancelled"


def test_options_of_the_list_before_a_command_are_a_usage_error(service: Service) -> None:
    done = service.run("maintenance", "--server", "a", "cancel", "b", *BY)
    assert done.returncode == 2
    assert "Write the options of cancel behind it." in done.stderr


def test_a_window_without_an_end_is_a_usage_error(service: Service, window: str) -> None:
    done = service.run("maintenance", "plan", window, *BY)
    assert done.returncode == 2
    assert "--to" in done.stderr


def test_a_window_without_servers_is_refused_with_the_option_to_give(
    service: Service, window: str
) -> None:
    done = service.run("maintenance", "plan", window, *BY, *LATER)
    assert done.returncode == 4
    assert "Send the names of the servers with --server." in done.stderr


def test_an_unknown_window_is_refused_with_the_command_that_lists_them(
    service: Service, window: str
) -> None:
    done = service.run("maintenance", "cancel", window, *BY)
    assert done.returncode == 4
    assert "`supervisor-mcp maintenance` lists the windows." in done.stderr


def test_an_unknown_server_is_refused_with_the_nearest_name(service: Service, server: str) -> None:
    done = service.run("maintenance", "--server", f"{server}x")
    assert done.returncode == 4
    assert f'Did you mean "{server}"?' in done.stderr


def test_the_shell_completes_windows(service: Service, server: str, window: str) -> None:
    plan(service, window, "--server", server, *LATER)
    done = service.run(
        _SUPERVISOR_MCP_COMPLETE="complete_bash",
        COMP_WORDS=f"supervisor-mcp maintenance cancel {window[:14]}",
        COMP_CWORD="3",
    )
    assert done.stdout.split() == [window]
