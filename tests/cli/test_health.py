"""supervisor-mcp health: how servers are, and what each signal says."""

from __future__ import annotations

import json
from uuid import uuid4

import httpx
import pytest

from tests.support.command_line import Service


@pytest.fixture
def tag(service: Service, server: str) -> str:
    """A tag of the server, of which keep-alives and a report contradict each other."""
    name = f"tag-{uuid4().hex[:12]}"
    document = {"description": "Searches", "version": "1.0.0", "tags": [name]}
    httpx.put(f"{service.url}/registry/servers/{server}", json=document).raise_for_status()
    httpx.post(f"{service.url}/registry/servers/{server}/heartbeat").raise_for_status()
    report = {"server": server, "status": "degraded", "detail": "slow refunds"}
    httpx.post(f"{service.url}/health/reports", json=report).raise_for_status()
    return name


def test_servers_are_listed_with_every_signal_and_filters(
    service: Service, server: str, tag: str
) -> None:
    done = service.run("health", "--tag", tag, "--status", "degraded")
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert rows[0] == [
        *("server", "status", "since", "keepalive", "probe", "traffic", "report"),
        "disagreement",
    ]
    (row,) = rows[1:]
    assert row[:2] + row[3:7] == [server, "degraded", "up", "unknown", "unknown", "degraded"]
    assert row[7] == "keep-alives arrive, reports say degraded"


def test_one_server_is_shown_with_its_signals_and_outages(
    service: Service, server: str, tag: str
) -> None:
    done = service.run("health", server)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "status\tdegraded" in lines
    assert any(line.startswith("report\tdegraded\t") for line in lines)
    assert "keep-alives arrive, reports say degraded" in lines
    assert "There were no outages in the last 90 days." in done.stderr


def test_a_server_of_which_nothing_is_known_says_how_to_report(
    service: Service, server: str
) -> None:
    done = service.run("health", server)
    assert f"`supervisor-mcp heartbeat {server}`" in done.stderr
    assert f"`supervisor-mcp report {server} up`" in done.stderr


def test_the_answers_are_json_on_request(service: Service, server: str, tag: str) -> None:
    listed = json.loads(service.run("health", "--tag", tag, "--json").stdout)
    assert [item["server"] for item in listed["items"]] == [server]
    one = json.loads(service.run("health", server, "--json").stdout)
    assert one["status"] == "degraded"


def test_a_list_without_servers_says_so(service: Service) -> None:
    done = service.run("health", "--tag", "nobody-has-this")
    assert (done.returncode, done.stderr) == (
        0,
        "No servers match. `supervisor-mcp health` lists them without filters.\n",
    )


def test_an_unknown_status_is_answered_with_the_known_ones(service: Service) -> None:
    done = service.run("health", "--status", "good")
    assert done.returncode == 4
    assert "Send up, degraded, down, unknown or maintenance." in done.stderr


def test_a_name_with_a_filter_is_a_usage_error(service: Service, server: str) -> None:
    done = service.run("health", server, "--tag", "office")
    assert done.returncode == 2
    assert "Leave out one of them." in done.stderr


def test_an_unknown_server_is_answered_with_the_nearest_name(service: Service, server: str) -> None:
    done = service.run("health", f"{server}x")
    assert done.returncode == 4
    assert f'Did you mean "{server}"?' in done.stderr
