"""supervisor-mcp server: one server with its health, days, versions and outages."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from supervisor_mcp.cli.server import budget
from tests.support.command_line import Service

STYLE = re.compile(r"\x1b\[[0-9;]*m")


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


def plan(service: Service, server: str, window: str, start: datetime, end: datetime) -> None:
    """Plan maintenance of the server."""
    body = {
        "servers": [server],
        "from": start.isoformat(),
        "to": end.isoformat(),
        "author": "ann",
        "reason": "new disk",
    }
    url = f"{service.url}/health/maintenance/{window}"
    httpx.put(url, json=body).raise_for_status()


def drawn(service: Service, server: str, columns: int = 100) -> list[str]:
    """The lines of the command on a terminal."""
    done = service.run("server", server, TTY_COMPATIBLE="1", NO_COLOR="1", COLUMNS=str(columns))
    return [STYLE.sub("", line).rstrip() for line in done.stdout.splitlines()]


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


@pytest.fixture
def versions(service: Service) -> str:
    """A server with twelve versions of which nothing was reported."""
    name = f"ns{uuid4().hex[:12]}/search"
    for number in range(12):
        put(
            service,
            name,
            version=f"1.{number}.0",
            tier="gold",
            owner="acme",
            tags=["a", "b"],
            source="ci",
            probe=False,
            remotes=[{"type": "sse", "url": f"https://{host}.example/mcp"} for host in "ab"],
        )
    return name


def test_the_entry_is_shown_without_what_is_not_known(service: Service, versions: str) -> None:
    printed = service.run("server", versions, "--json").stdout
    since = json.loads(printed)["server"]["health"]["since"]
    done = service.run("server", versions)
    assert done.stdout.partition("\n\n")[0].splitlines() == [
        "field\tvalue",
        f"name\t{versions}",
        "version\t1.11.0",
        "description\tSearches",
        "status\tactive",
        f"health\tunknown since {since}",
        "owner\tacme",
        "tier\tgold",
        "tags\ta, b",
        "source\tci",
        "remotes\thttps://a.example/mcp https://b.example/mcp",
        "tools\t0",
        "keepalive_seconds\t60",
        "failures_to_down\t3",
        "successes_to_recover\t2",
        "sla_target\t99.9",
        "probe\toff",
    ]
    assert "\nUptime of 30d: not known (target 99.9 %)\n" in done.stdout


def test_the_last_10_versions_are_shown(service: Service, versions: str) -> None:
    done = service.run("server", versions)
    shown = re.findall(r"^(1[.]\d+[.]0)\t", done.stdout, re.MULTILINE)
    assert shown == [f"1.{number}.0" for number in range(11, 1, -1)]
    assert "\nThere are 2 more; --json lists them.\n" in done.stderr


@pytest.mark.parametrize(
    ("left_seconds", "left_percent", "words"),
    [
        (-90.0, -50.0, "the error budget is exceeded by 1.5 min"),
        (-0.5, -0.1, "the error budget is exceeded by 0.5 s"),
        (0, None, "the target allows no time down"),
        (0, 0, "0 % of the error budget is left"),
        (90, 12.3456, "12.345 % of the error budget is left"),
    ],
)
def test_an_error_budget_in_words(
    left_seconds: float, left_percent: float | None, words: str
) -> None:
    assert budget({"left_seconds": left_seconds, "left_percent": left_percent}) == words


def test_days_are_rows_in_a_pipe_and_bars_with_dates_and_a_legend_on_a_terminal(
    service: Service, server: str
) -> None:
    today = f"{datetime.now(UTC):%Y-%m-}"
    assert re.search(rf"^{today}\d\d\t", service.run("server", server).stdout, re.MULTILINE)
    lines = drawn(service, server)
    (place,) = [n for n, line in enumerate(lines) if line.startswith("Uptime of")]
    assert lines[place + 1].startswith(today)
    assert lines[place + 3] == "▃ below the target"


def test_a_terminal_has_tables(service: Service, server: str) -> None:
    lines = drawn(service, server)
    assert {server, "Signals", "Versions"} <= set(lines)
    assert not set("│┃─━") & set("".join(lines))
    assert any(re.match(r"1[.]1[.]0 +\d{4}-\d\d-\d\d \d\d:\d\d UTC  -$", line) for line in lines)


def test_a_terminal_of_80_columns_has_every_signal_version_and_outage_in_one_line(
    service: Service, server: str
) -> None:
    lines = drawn(service, server, columns=80)
    assert any(re.match(r"report +down +\d+ s ago +\d+ s ago +- +disk full$", n) for n in lines)
    assert any(re.match(r"\S+ \S+ UTC +- +\S+ (s|min) +report: disk full", n) for n in lines), lines


def test_an_exceeded_error_budget_is_a_length_of_time(service: Service, server: str) -> None:
    assert re.search(
        r"^Uptime of 30d: 0 % .* known, 1 outage, the error budget is exceeded by \S+ (s|min)$",
        service.run("server", server).stdout,
        re.MULTILINE,
    )


def test_what_watches_the_server_is_shown(service: Service, server: str) -> None:
    rows = service.run("server", server).stdout.splitlines()
    assert {
        *("keepalive_seconds\t60", "failures_to_down\t1", "successes_to_recover\t2"),
        *("sla_target\t99.9", "probe\ton"),
    } <= set(rows)


def test_maintenance_is_shown_with_its_end_reason_and_author_and_the_next_one(
    service: Service, server: str
) -> None:
    now, day = datetime.now(UTC), timedelta(days=1)
    plan(service, server, "first-" + server[2:8], now - day, now + day)
    plan(service, server, "second-" + server[2:8], now + 2 * day, now + 3 * day)
    lines = drawn(service, server, columns=200)
    (shown,) = [line for line in lines if line.startswith("maintenance ")]
    assert "first-" in shown
    assert f"to {now + day:%Y-%m-%d %H:%M} UTC: new disk (ann)" in shown
    (following,) = [line for line in lines if line.startswith("next_maintenance ")]
    assert f"{now + 2 * day:%Y-%m-%d %H:%M} UTC to " in following


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


def test_uptime_of_all_known_time_has_outages_and_what_is_left(service: Service) -> None:
    name = f"up{uuid4().hex[:12]}"
    put(service, name)
    report = {"server": name, "status": "up"}
    httpx.post(f"{service.url}/health/reports", json=report).raise_for_status()
    done = service.run("server", name)
    assert re.search(
        r"^Uptime of 30d: 100 % \(target 99[.]9 %\), [\d.]+ % of the time is known, 0 outages,"
        r" 100 % of the error budget is left$",
        done.stdout,
        re.MULTILINE,
    )
    assert done.stderr == "There were no outages in the last 90 days.\n"


def test_a_server_with_remotes_is_not_asked_to_add_some(service: Service) -> None:
    name = f"quiet{uuid4().hex[:12]}"
    remotes = [{"type": "sse", "url": "http://127.0.0.1:9/mcp"}]
    put(service, name, probe=False, remotes=remotes)
    done = service.run("server", name)
    assert "add remotes" not in done.stderr
    assert "or set probe to true." in done.stderr
    put(service, name, probe=True, remotes=remotes)
    assert "up`).\n" in service.run("server", name).stderr


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
