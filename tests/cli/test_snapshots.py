"""supervisor-mcp snapshots: frozen under a name, and printed as they were hashed."""

from __future__ import annotations

import hashlib
import json
from uuid import uuid4

import httpx

from tests.support import scripted
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


SNAPSHOT = {
    "name": "week",
    "window": "7d",
    "from": "2026-11-18T10:00:00+00:00",
    "to": "2026-11-25T10:00:00+00:00",
    "kinds": 11,
    "bytes": 10_929,
    "sha256": "86f168e6a9388fa880581088b48b020ae8ec377c2742249b15e2a0258ffdb9b6",
    "author": "ann",
    "created_at": "2026-11-25T10:00:00+00:00",
}


def test_everything_of_a_list_is_printed() -> None:
    page = {"items": [SNAPSHOT], "next_cursor": "more"}
    with scripted.service({"GET /query/snapshots": page}) as service:
        done = service.run("snapshots")
        drawn = service.draw("snapshots", "--limit", "5")
    assert service.asked == ["GET /query/snapshots?limit=100", "GET /query/snapshots?limit=5"]
    assert done.stdout == (
        "name\twindow\tfrom\tto\tkinds\tbytes\tsha256\tauthor\n"
        "week\t7d\t2026-11-18T10:00:00+00:00\t2026-11-25T10:00:00+00:00\t11\t10929"
        f"\t{SNAPSHOT['sha256']}\tann\n"
    )
    assert done.stderr == "There are more. Raise --limit.\n"
    assert "│" not in drawn


def test_an_empty_list_says_how_to_freeze_one() -> None:
    with scripted.service({"GET /query/snapshots": {"items": [], "next_cursor": None}}) as service:
        done = service.run("snapshots")
    assert done.stderr == (
        "There are no snapshots yet. Freeze one with"
        " `supervisor-mcp snapshots create NAME --author WHO`.\n"
    )


def test_everything_of_a_new_snapshot_is_printed() -> None:
    with scripted.service({"POST /query/snapshots": SNAPSHOT}) as service:
        done = service.run("snapshots", "create", "week", "--author", "ann")
        drawn = service.draw("snapshots", "create", "week", "--author", "ann")
    assert service.sent[0] == {"name": "week", "author": "ann", "window": "7d"}
    assert done.stdout == (
        "field\tvalue\n"
        "window\t7d\n"
        "from\t2026-11-18T10:00:00+00:00\n"
        "to\t2026-11-25T10:00:00+00:00\n"
        "kinds\t11\n"
        "bytes\t10929\n"
        f"sha256\t{SNAPSHOT['sha256']}\n"
        "author\tann\n"
    )
    assert "│" not in drawn
