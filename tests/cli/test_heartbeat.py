"""supervisor-mcp heartbeat: the keep-alives of one or many servers in one call."""

from __future__ import annotations

import json

import httpx

from tests.support.command_line import Service


def keepalive(service: Service, server: str) -> str:
    """What keep-alives say of a server."""
    (item,) = [
        signal
        for signal in httpx.get(f"{service.url}/health/servers/{server}").json()["signals"]
        if signal["signal"] == "keepalive"
    ]
    status: str = item["status"]
    return status


def test_the_keepalive_of_a_server_is_renewed(service: Service, server: str) -> None:
    done = service.run("heartbeat", server)
    assert (done.returncode, done.stdout) == (0, "1 renewed, 0 unknown\n")
    assert keepalive(service, server) == "up"


def test_a_name_that_is_not_registered_keeps_no_other_from_being_renewed(
    service: Service, server: str
) -> None:
    done = service.run("heartbeat", server, "acme/gone")
    assert (done.returncode, done.stdout) == (1, "1 renewed, 1 unknown\n")
    assert done.stderr.splitlines() == [
        "acme/gone is not registered.",
        "1 of 2 servers is not registered.",
        "Hint: List those that are with `supervisor-mcp servers`.",
    ]
    assert keepalive(service, server) == "up"


def test_the_answer_is_json_on_request(service: Service, server: str) -> None:
    done = service.run("heartbeat", server, "--json")
    assert json.loads(done.stdout) == {"renewed": 1, "unknown": []}


def test_one_unknown_server_is_answered_with_the_nearest_name(
    service: Service, server: str
) -> None:
    done = service.run("heartbeat", f"{server}x")
    assert done.returncode == 4
    assert f'Did you mean "{server}"?' in done.stderr


def test_the_shell_completes_servers(service: Service, server: str) -> None:
    done = service.run(
        _SUPERVISOR_MCP_COMPLETE="complete_bash",
        COMP_WORDS=f"supervisor-mcp heartbeat acme/gone {server[:20]}",
        COMP_CWORD="3",
    )
    assert done.stdout.split() == [server]
