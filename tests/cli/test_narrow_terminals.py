"""Tables of lists in terminals of 80 columns and fewer."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import psycopg
import pytest

from tests.sql.raised_alerts import add_transition, raise_alert
from tests.support.command_line import Service

STYLE = re.compile(r"\x1b\[[0-9;]*m")
BLOCK = re.compile(r"^─+$", re.MULTILINE)
# Commands, and the columns that they have at every width.
LISTS = {
    ("alerts",): ("severity", "state", "rule", "labels", "id"),
    ("alerts", "history"): ("at", "rule", "to", "labels", "id"),
    ("alerts", "silences"): ("id", "status", "matchers", "to", "comment"),
    ("alert-rules", "list"): ("name", "state", "firing", "pending", "severity"),
    ("subscriptions",): ("name", "url", "alerts", "pending", "failed"),
    ("keys",): ("id", "owner", "status", "scopes", "ends"),
}


@pytest.fixture(scope="module")
def crowded(service: Service) -> Service:
    """The service with an alert, a silence, a subscription and a key of the length of real ones."""
    server = f"io.github.acme/search-{uuid4().hex[:8]}"
    since = datetime.now(UTC) - timedelta(minutes=47)
    dsn = service.analyst_dsn.replace("supervisor_analyst@", "postgres@")
    with psycopg.connect(dsn, autocommit=True, prepare_threshold=None) as conn:
        raised = raise_alert(
            conn, "latency_p95_of_eu", "critical", since=since, server=server, region="eu-west-1"
        )
        add_transition(conn, raised, at=since)
    update = {
        "author": "ann.miller",
        "comment": "update of the database",
        "matchers": [{"name": "server", "operator": "=~", "value": "io[.]github[.]acme/.*"}],
        "to": (datetime.now(UTC) + timedelta(hours=2)).isoformat(),
    }
    subscription = {
        "author": "ann.miller",
        "url": "https://hooks.example.com/services/T00000000/B00000000",
        "alerts": {"matchers": [{"name": "severity", "operator": "=", "value": "critical"}]},
        "facts": {"kinds": ["Fact:Sale"]},
    }
    key = {
        "owner": "search-team@acme.example",
        "scopes": ["read", "ingest"],
        "sources": ["search-mcp", "search-mcp-canary"],
        "expires_at": (datetime.now(UTC) + timedelta(days=90)).isoformat(),
    }
    with httpx.Client(base_url=service.url) as http:
        http.put(f"/alerts/silences/{uuid4().hex[:8]}", json=update).raise_for_status()
        http.put(f"/subscriptions/{uuid4().hex[:8]}", json=subscription).raise_for_status()
        http.post("/access/keys", json=key).raise_for_status()
    return service


def drawn(service: Service, command: tuple[str, ...], columns: int) -> str:
    done = service.run(*command, TTY_COMPATIBLE="1", NO_COLOR="1", COLUMNS=str(columns))
    assert done.returncode == 0, done.stderr
    return STYLE.sub("", done.stdout)


@pytest.mark.parametrize("columns", [80, 72])
@pytest.mark.parametrize("command", LISTS)
def test_lists_are_tables(crowded: Service, command: tuple[str, ...], columns: int) -> None:
    shown = drawn(crowded, command, columns)
    assert not BLOCK.search(shown)
    _, heading, *lines = shown.splitlines()
    assert set(LISTS[command]) <= set(heading.split())
    assert max(map(len, lines)) <= columns


@pytest.mark.parametrize("command", [("alerts",), ("alerts", "history")])
def test_tables_of_alerts_have_the_value(crowded: Service, command: tuple[str, ...]) -> None:
    assert "value" in drawn(crowded, command, 80).splitlines()[1].split()


@pytest.mark.parametrize("command", LISTS)
def test_lists_are_blocks_with_every_column_where_no_table_fits(
    crowded: Service, command: tuple[str, ...]
) -> None:
    shown = drawn(crowded, command, 30)
    assert BLOCK.search(shown)
    listed = crowded.run(*command).stdout.splitlines()[0].split("\t")
    assert all(f"\n{name} " in shown for name in listed)


def test_what_is_left_out_is_named(crowded: Service) -> None:
    done = crowded.run("alerts", TTY_COMPATIBLE="1", NO_COLOR="1", COLUMNS="80")
    # Alerts of other tests may leave less room.
    assert re.search(r"There is no room for [a-z, ]*\bsuppressed\b[a-z, ]*;", done.stderr)
    wide = crowded.run("alerts", TTY_COMPATIBLE="1", NO_COLOR="1", COLUMNS="180")
    assert "no room" not in wide.stderr
    items = json.loads(crowded.run("alerts", "--json").stdout)["items"]
    assert 12.5 in [item["value"] for item in items]


@pytest.mark.parametrize("command", [("snapshots",), ("audit", "--limit", "500")])
def test_names_are_never_folded(crowded: Service, command: tuple[str, ...]) -> None:
    name = f"review_of_latency_in_{uuid4().hex[:12]}"
    made = crowded.run("snapshots", "create", name, "--author", "ann")
    assert made.returncode == 0, made.stderr
    assert name in drawn(crowded, command, 80)
