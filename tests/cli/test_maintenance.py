"""supervisor-mcp maintenance: windows are listed, planned, changed and cancelled."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs
from uuid import uuid4

import pytest

from tests.support import scripted
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


WINDOW = {
    "id": "move",
    "status": "planned",
    "servers": ["acme/search", "acme/shop"],
    "from": "2098-01-01T00:00:00+00:00",
    "to": "2099-01-01T00:00:00+00:00",
    "author": "ann",
    "reason": "new database",
}
CELLS = [
    "planned",
    "2098-01-01T00:00:00+00:00",
    "2099-01-01T00:00:00+00:00",
    "acme/search acme/shop",
    "ann",
    "new database",
]


def test_everything_of_a_list_is_printed() -> None:
    page = {"items": [WINDOW], "next_cursor": "more"}
    with scripted.service({"GET /health/maintenance": page}) as service:
        done = service.run("maintenance")
        service.run(
            *("maintenance", "--server", "acme/shop", "--from", "2098-01-01"),
            *("--to", "2098-02-01", "--limit", "5"),
        )
        drawn = service.draw("maintenance")
    assert service.asked[:2] == [
        "GET /health/maintenance?limit=100",
        "GET /health/maintenance?name=acme/shop&from=2098-01-01&to=2098-02-01&limit=5",
    ]
    assert [line.split("\t") for line in done.stdout.splitlines()] == [COLUMNS, ["move", *CELLS]]
    assert done.stderr == (
        "There are more. Raise --limit, or narrow the list with --server or --to.\n"
    )
    assert "│" not in drawn


def test_an_empty_list_says_how_to_plan_a_window() -> None:
    with scripted.service(
        {"GET /health/maintenance": {"items": [], "next_cursor": None}}
    ) as service:
        done = service.run("maintenance")
    assert done.stderr == (
        "No maintenance is planned or active. Plan a window with"
        " `supervisor-mcp maintenance plan ID --to 2h --author WHO --reason WHY`.\n"
    )


@pytest.mark.parametrize(
    ("restated", "said"),
    [(0, ""), (1, "1 server is restated"), (2, "2 servers are restated")],
)
def test_everything_of_a_planned_window_is_printed(restated: int, said: str) -> None:
    cancel = {"cancelled_by": None, "cancelled_reason": None}
    answer = {**WINDOW, **cancel, "changed": True, "restated": restated}
    with scripted.service({"PUT /health/maintenance/move": answer}) as service:
        done = service.run("maintenance", "plan", "move", *BY, "--to", "2099-01-01")
        drawn = service.draw("maintenance", "plan", "move", *BY, *LATER, "--server", "acme/shop")
        service.run("maintenance", "cancel", "move", *BY)
    by = {"author": "ann", "reason": "new database"}
    assert service.sent == [
        {**by, "to": "2099-01-01"},
        {**by, "servers": ["acme/shop"], "from": LATER[1], "to": LATER[3]},
        {**by, "cancelled": True},
    ]
    rows = [*zip(COLUMNS[1:], CELLS, strict=True), ("restated", str(restated))]
    assert [line.split("\t") for line in done.stdout.splitlines()] == [
        ["field", "value"],
        *map(list, rows),
    ]
    assert done.stderr == (
        f"Time that has passed has changed: {said}."
        " `supervisor-mcp sla acme/search` lists the restatements of one.\n"
        if said
        else ""
    )
    assert "│" not in drawn


def test_who_cancelled_a_window_and_why_is_printed() -> None:
    cancel = {"cancelled_by": "bob", "cancelled_reason": "postponed"}
    answer = {**WINDOW, **cancel, "status": "cancelled", "changed": True, "restated": 0}
    with scripted.service({"PUT /health/maintenance/move": answer}) as service:
        done = service.run("maintenance", "cancel", "move", *BY)
    assert done.stdout.splitlines()[-3:] == [
        "cancelled by\tbob",
        "cancel reason\tpostponed",
        "restated\t0",
    ]


def test_times_of_a_window_can_be_lengths_from_now() -> None:
    cancel = {"cancelled_by": None, "cancelled_reason": None}
    answer = {**WINDOW, **cancel, "changed": True, "restated": 0}
    answers = {
        "PUT /health/maintenance/move": answer,
        "GET /health/maintenance": {"items": [WINDOW], "next_cursor": None},
    }
    before = datetime.now(UTC)
    with scripted.service(answers) as service:
        service.run("maintenance", "plan", "move", *BY, "--from", "30m", "--to", "2h")
        service.run("maintenance", "--from", "30m", "--to", "2h")
    after = datetime.now(UTC)
    (planned,) = service.sent
    asked = parse_qs(service.asked[1].partition("?")[2].replace("+", "%2B"))
    for start, end in ((planned["from"], planned["to"]), (asked["from"][0], asked["to"][0])):
        assert before <= datetime.fromisoformat(start) - timedelta(minutes=30) <= after
        assert before <= datetime.fromisoformat(end) - timedelta(hours=2) <= after


def test_json_before_a_command_is_a_usage_error(service: Service) -> None:
    done = service.run("maintenance", "--json", "cancel", "b", *BY)
    assert done.returncode == 2
    assert "Write the options of cancel behind it." in done.stderr
