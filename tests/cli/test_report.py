"""supervisor-mcp report: what somebody observed of a server."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.support.command_line import Service


def test_a_report_is_stored_with_all_that_was_observed(service: Service, server: str) -> None:
    observed = ("--latency-ms", "2100", "--detail", "slow refunds", "--reporter", "agent-7")
    done = service.run("report", server, "degraded", *observed)
    assert done.stdout == "1 accepted, 0 duplicate, 0 late\n"
    assert done.stderr == f"`supervisor-mcp health {server}` shows what follows.\n"
    health = httpx.get(f"{service.url}/health/servers/{server}").json()
    (signal,) = [each for each in health["signals"] if each["signal"] == "report"]
    assert (signal["status"], signal["latency_ms"]) == ("degraded", 2100)
    assert signal["detail"] == "slow refunds"


def test_the_same_report_again_is_a_duplicate_and_an_older_one_is_late(
    service: Service, server: str
) -> None:
    now = datetime.now(UTC)
    newest = ("report", server, "up", "--ts", now.isoformat())
    service.run(*newest)
    again = service.run(*newest)
    assert again.stdout == "0 accepted, 1 duplicate, 0 late\n"
    assert "The same report is stored already." in again.stderr
    older = (now - timedelta(microseconds=1)).isoformat()
    late = service.run("report", server, "up", "--ts", older)
    assert late.stdout == "1 accepted, 0 duplicate, 1 late\n"
    assert "the health does not change" in late.stderr


def test_the_receipt_is_json_on_request(service: Service, server: str) -> None:
    done = service.run("report", server, "up", "--json")
    assert json.loads(done.stdout)["accepted"] == 1


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--latency-ms", "-1", "Send a number between 0 and 1e9."),
        ("--ts", "yesterday", 'such as "2026-03-01T12:00:00Z"'),
        ("--detail", "", "detail"),
    ],
)
def test_a_bad_report_is_refused_with_the_next_step(
    service: Service, server: str, option: str, value: str, message: str
) -> None:
    done = service.run("report", server, "up", option, value)
    assert done.returncode == 4
    assert message in done.stderr
    assert "items" not in done.stderr


def test_an_unknown_server_is_answered_with_the_nearest_name(service: Service, server: str) -> None:
    done = service.run("report", f"{server}x", "up")
    assert done.returncode == 4
    assert f'Did you mean "{server}"?' in done.stderr
    assert "`supervisor-mcp servers`" in done.stderr


def test_an_unknown_status_is_answered_with_the_known_ones(service: Service, server: str) -> None:
    done = service.run("report", server, "good")
    assert done.returncode == 2
    assert "'up', 'degraded', 'down'" in done.stderr
