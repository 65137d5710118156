"""supervisor-mcp snapshots: frozen under a name, and printed as they were hashed."""

from __future__ import annotations

import hashlib
import json
from uuid import uuid4

import httpx

from tests.support.command_line import Service


def test_what_is_printed_has_the_hash_of_the_snapshot(service: Service) -> None:
    name = f"week-{uuid4().hex[:12]}"
    created = service.run("snapshots", "create", name, "--author", "ann", "--json")
    assert created.returncode == 0, created.stderr
    listed = service.run("snapshots", "--json")
    shown = service.run("snapshots", "show", name)

    snapshot = json.loads(created.stdout)
    assert snapshot in json.loads(listed.stdout)["items"]
    assert hashlib.sha256(shown.stdout.encode()).hexdigest() == snapshot["sha256"]
    with httpx.Client(base_url=service.url) as http:
        answer = http.get(f"/query/snapshots/{name}")
        tag = answer.headers["ETag"]
        again = http.get(f"/query/snapshots/{name}", headers={"If-None-Match": tag})
    assert (answer.text, tag) == (shown.stdout, f'W/"{snapshot["sha256"]}"')
    assert again.status_code == 304


def test_a_table_has_a_row_for_each_snapshot(service: Service) -> None:
    name = f"week-{uuid4().hex[:12]}"
    service.run("snapshots", "create", name, "--author", "ann", "--window", "24h")
    listed = service.run("snapshots", "--limit", "1")

    header, row = (line.split("\t") for line in listed.stdout.splitlines())
    assert header[:2] == ["name", "window"]
    assert row[:2] == [name, "24h"]


def test_a_name_that_is_taken_is_refused(service: Service) -> None:
    name = f"week-{uuid4().hex[:12]}"
    service.run("snapshots", "create", name, "--author", "ann")
    again = service.run("snapshots", "create", name, "--author", "ann")

    assert again.returncode == 4
    assert "snapshots show" in again.stderr
