"""supervisor-mcp server: one server with its health, days, versions and outages."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.command_line import Service


@pytest.fixture
def server(service: Service) -> str:
    """A server with two versions, which reports that it is down."""
    name = f"ns{uuid4().hex[:12]}/search"
    for version in ("1.0.0", "1.1.0"):
        put(service, name, version=version, tier="gold", tags=["a", "b"], failures_to_down=1)
    reports = {"server": name, "status": "down", "detail": "disk full"}
    httpx.post(f"{service.url}/health/reports", json=reports).raise_for_status()
    return name


def put(service: Service, name: str, **more: object) -> None:
    """Register a server."""
    document: Mapping[str, Any] = {"description": "Searches", "version": "1.0.0", **more}
    httpx.put(f"{service.url}/registry/servers/{name}", json=document).raise_for_status()


def test_a_server_is_shown_with_health_days_versions_and_outages(
    service: Service, server: str
) -> None:
    done = service.run("server", server)
    assert done.returncode == 0, done.stderr
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert ["version", "1.1.0"] in rows
    assert ["tags", "a, b"] in rows
    assert any(row[:2] == ["report", "down"] and row[-1] == "disk full" for row in rows)
    assert re.search(r"^Uptime of 30d: .*\(target 99[.]9 %\)", done.stdout, re.MULTILINE)
    assert [row[0] for row in rows if len(row) == 3] == ["version", "1.1.0", "1.0.0"]


def test_every_day_of_the_last_30_is_one_mark(service: Service, server: str) -> None:
    lines = service.run("server", server).stdout.splitlines()
    (place,) = [n for n, line in enumerate(lines) if line.startswith("Uptime of")]
    assert re.fullmatch("[█▇▅▂·]{30}", lines[place + 1])


def test_a_terminal_has_tables(service: Service, server: str) -> None:
    done = service.run("server", server, TTY_COMPATIBLE="1", NO_COLOR="1", COLUMNS="100")
    assert all(title in done.stdout for title in (server, "Signals", "Versions"))
    assert "│ 1.1.0 " in done.stdout


def test_the_three_answers_are_json_on_request(service: Service, server: str) -> None:
    answers = json.loads(service.run("server", server, "--json").stdout)
    assert answers["server"]["name"] == server
    assert answers["health"]["server"] == server
    assert answers["sla"]["items"][0]["name"] == server


def test_a_server_of_which_nothing_is_known_says_what_to_do(service: Service) -> None:
    name = f"quiet{uuid4().hex[:12]}"
    put(service, name)
    done = service.run("server", name)
    assert done.returncode == 0, done.stderr
    assert "Nothing was reported yet" in done.stderr
    assert "There were no outages in the last 90 days." in done.stderr


def test_a_deregistered_server_still_has_its_versions(service: Service, server: str) -> None:
    httpx.delete(f"{service.url}/registry/servers/{server}").raise_for_status()
    done = service.run("server", server)
    assert done.returncode == 0, done.stderr
    assert "status\tderegistered" in done.stdout
    assert "\n1.1.0\t" in done.stdout


def test_an_unknown_server_is_answered_with_the_nearest_name(service: Service, server: str) -> None:
    done = service.run("server", server + "x")
    assert done.returncode == 4
    assert f'Did you mean "{server}"?' in done.stderr
    assert "supervisor-mcp servers" in done.stderr
