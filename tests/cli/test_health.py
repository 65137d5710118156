"""supervisor-mcp health: how servers are, and what each signal says."""

from __future__ import annotations

import json
from uuid import uuid4

import httpx
import pytest

from tests.support import scripted
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


MAINTENANCE = {
    "id": "move",
    "from": "2026-11-25T10:00:00+00:00",
    "to": "2026-11-25T12:00:00+00:00",
    "author": "ann",
    "reason": "new database",
}
LISTED = {
    "server": "acme/search",
    "status": "degraded",
    "since": "2026-11-25T10:00:00+00:00",
    "keepalive": "up",
    "probe": "unknown",
    "traffic": "up",
    "report": "degraded",
    "disagreement": "keep-alives arrive, reports say degraded",
}
SHOWN = {
    "server": "acme/search",
    "status": "maintenance",
    "since": "2026-11-25T10:00:00+00:00",
    "signals": [
        {
            "signal": "report",
            "status": "degraded",
            "since": "2026-11-25T10:00:00+00:00",
            "last_at": "2026-11-25T10:05:00+00:00",
            "expires_at": None,
            "last_status": "degraded",
            "streak": 1,
            "latency_ms": 12.5,
            "detail": "slow refunds",
        }
    ],
    "disagree": True,
    "disagreement": "keep-alives arrive, reports say degraded",
    "maintenance": {"now": MAINTENANCE, "next": {**MAINTENANCE, "id": "again"}},
    "outages": [
        {
            "from": "2026-11-20T10:00:00+00:00",
            "to": "2026-11-20T10:02:00+00:00",
            "seconds": 120.5,
            "reasons": ["no keep-alive", "reported down"],
        }
    ],
    "computed_at": "2026-11-25T10:06:00+00:00",
}


def test_everything_of_a_list_is_printed() -> None:
    page = {"items": [LISTED], "next_cursor": "more"}
    with scripted.service({"GET /health/servers": page}) as service:
        done = service.run("health")
        service.run("health", "--status", "degraded", "--tag", "office", "--limit", "5")
        drawn = service.draw("health")
    assert service.asked[:2] == [
        "GET /health/servers?limit=100",
        "GET /health/servers?status=degraded&tag=office&limit=5",
    ]
    assert done.stdout == (
        "server\tstatus\tsince\tkeepalive\tprobe\ttraffic\treport\tdisagreement\n"
        "acme/search\tdegraded\t2026-11-25T10:00:00+00:00\tup\tunknown\tup\tdegraded"
        "\tkeep-alives arrive, reports say degraded\n"
    )
    assert done.stderr == (
        "There are more. Raise --limit, or narrow the list with --status or --tag.\n"
    )
    assert "│" not in drawn


def test_a_list_without_servers_says_how_to_register_some() -> None:
    with scripted.service({"GET /health/servers": {"items": [], "next_cursor": None}}) as service:
        done = service.run("health")
    assert done.stderr == (
        "There are no servers yet. Register some with `supervisor-mcp register FILE`.\n"
    )


def test_everything_of_a_server_is_printed() -> None:
    with scripted.service({"GET /health/servers/acme/search": SHOWN}) as service:
        done = service.run("health", "acme/search")
        drawn = service.draw("health", "acme/search")
    span = "2026-11-25T10:00:00+00:00 to 2026-11-25T12:00:00+00:00: new database (ann)"
    assert done.stdout == (
        "field\tvalue\n"
        "status\tmaintenance\n"
        "since\t2026-11-25T10:00:00+00:00\n"
        f"maintenance\tmove, {span}\n"
        f"next_maintenance\tagain, {span}\n"
        "\n"
        "signal\tstatus\tsince\tlast_at\tlatency_ms\tdetail\n"
        "report\tdegraded\t2026-11-25T10:00:00+00:00\t2026-11-25T10:05:00+00:00\t12.5"
        "\tslow refunds\n"
        "keep-alives arrive, reports say degraded\n"
        "\n"
        "from\tto\tduration_seconds\treasons\n"
        "2026-11-20T10:00:00+00:00\t2026-11-20T10:02:00+00:00\t120.5"
        "\tno keep-alive; reported down\n"
    )
    assert done.stderr == ""
    assert "│" not in drawn
    assert {"acme/search", "Signals", "Last outages"} <= set(drawn.splitlines())


def test_a_server_without_maintenance_and_outages_says_less() -> None:
    calm = {
        **SHOWN,
        "status": "up",
        "disagree": False,
        "disagreement": None,
        "maintenance": {"now": None, "next": None},
        "outages": [],
    }
    with scripted.service({"GET /health/servers/acme/search": calm}) as service:
        done = service.run("health", "acme/search")
    assert done.stdout == (
        "field\tvalue\nstatus\tup\nsince\t2026-11-25T10:00:00+00:00\n\n"
        "signal\tstatus\tsince\tlast_at\tlatency_ms\tdetail\n"
        "report\tdegraded\t2026-11-25T10:00:00+00:00\t2026-11-25T10:05:00+00:00\t12.5"
        "\tslow refunds\n\n"
        "from\tto\tduration_seconds\treasons\n"
    )
    assert done.stderr == "There were no outages in the last 90 days.\n"
