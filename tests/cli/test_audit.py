"""supervisor-mcp audit: who changed what is listed."""

from __future__ import annotations

import json
from uuid import uuid4

from tests.support.command_line import Service


def silence(service: Service, name: str) -> None:
    done = service.run(
        *("alerts", "silence", name, "source=web", "--for", "1h"),
        *("--author", "ann", "--comment", "update"),
    )
    assert done.returncode == 0, done.stderr


def test_changes_are_listed_with_who_made_them(service: Service) -> None:
    name = f"silence-{uuid4().hex[:12]}"
    silence(service, name)
    listed = service.run("audit", "--object-type", "silence", "--object-name", name)

    header, row = (line.split("\t") for line in listed.stdout.splitlines())
    assert header == ["number", "at", "actor", "action", "type", "name", "changed"]
    assert row[2:6] == ["anyone", "insert", "silence", name]
    assert "matchers" in row[6]


def test_json_is_the_answer_of_the_service(service: Service) -> None:
    name = f"silence-{uuid4().hex[:12]}"
    silence(service, name)
    listed = service.run("audit", "--object-name", name, "--json")

    (event,) = json.loads(listed.stdout)["items"]
    assert event["changes"]["comment"] == {"new": "update"}


def test_an_empty_list_says_so(service: Service) -> None:
    listed = service.run("audit", "--actor", "nobody")

    assert listed.returncode == 0
    assert "nobody" not in listed.stdout
    assert "No events" in listed.stderr or "no events" in listed.stderr


def test_a_bad_time_is_refused(service: Service) -> None:
    listed = service.run("audit", "--from", "yesterday")

    assert listed.returncode == 4
    assert "--from" in listed.stderr
