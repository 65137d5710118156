"""supervisor-mcp deregister: the end of a registration, and how to take it back."""

from __future__ import annotations

import json

import httpx

from tests.support import scripted
from tests.support.command_line import Service


def test_a_server_leaves_the_registry_and_the_user_learns_how_to_restore_it(
    service: Service, server: str
) -> None:
    done = service.run("deregister", server)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{server} deregistered at 20")
    assert "register it again with `supervisor-mcp register FILE`" in done.stderr
    entry = httpx.get(f"{service.url}/registry/servers/{server}").json()
    assert entry["status"] == "deregistered"


def test_the_answer_is_json_on_request(service: Service, server: str) -> None:
    done = service.run("deregister", server, "--json")
    assert json.loads(done.stdout).keys() == {"name", "deregistered_at"}
    assert done.stderr == ""


def test_an_entry_with_an_owner_ends_for_its_owner_alone(service: Service, server: str) -> None:
    document = {"description": "Searches", "version": "1.0.0", "owner": "ann"}
    httpx.put(f"{service.url}/registry/servers/{server}", json=document).raise_for_status()
    refused = service.run("deregister", server)
    assert refused.returncode == 4
    assert "--owner" in refused.stderr
    assert service.run("deregister", server, "--owner", "ann").returncode == 0


def test_an_unknown_server_is_answered_with_the_nearest_name(service: Service, server: str) -> None:
    done = service.run("deregister", f"{server}x")
    assert done.returncode == 4
    assert f'Did you mean "{server}"?' in done.stderr


def test_an_owner_is_sent_where_it_is_given() -> None:
    ended = {"name": "acme/search", "deregistered_at": "2026-11-25T10:00:00+00:00"}
    with scripted.service({"DELETE /registry/servers/acme/search": ended}) as service:
        done = service.run("deregister", "acme/search")
        as_json = service.run("deregister", "acme/search", "--owner", "ann", "--json")
    assert service.asked == [
        "DELETE /registry/servers/acme/search",
        "DELETE /registry/servers/acme/search?owner=ann",
    ]
    assert done.stdout == "acme/search deregistered at 2026-11-25T10:00:00+00:00\n"
    assert (json.loads(as_json.stdout), as_json.stderr) == (ended, "")
