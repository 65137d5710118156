"""supervisor-mcp audit: who changed what is listed."""

from __future__ import annotations

import json
from uuid import uuid4

from tests.support import scripted
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


EVENT = {
    "number": 156,
    "at": "2026-11-25T10:00:00+00:00",
    "actor": "ann",
    "action": "update",
    "object_type": "alert_rule",
    "object_name": "queue_long",
    "namespace": "",
    "changes": {"labels": {"new": {}}, "threshold": {"old": 1, "new": 2}},
}


def test_everything_of_a_list_is_printed() -> None:
    page = {"items": [EVENT], "next_cursor": "more"}
    with scripted.service({"GET /access/audit": page}) as service:
        done = service.run("audit")
        service.run(
            *("audit", "--actor", "ann", "--action", "update", "--object-type", "alert_rule"),
            *("--object-name", "queue_long", "--from", "2026-11-25", "--to", "2026-11-26"),
            *("--limit", "5"),
        )
        drawn = service.draw("audit")
    assert service.asked[:2] == [
        "GET /access/audit?limit=20",
        "GET /access/audit?actor=ann&action=update&object_type=alert_rule&object_name=queue_long"
        "&from=2026-11-25&to=2026-11-26&limit=5",
    ]
    assert done.stdout == (
        "number\tat\tactor\taction\ttype\tname\tchanged\n"
        "156\t2026-11-25T10:00:00+00:00\tann\tupdate\talert_rule\tqueue_long\tlabels, threshold\n"
    )
    assert done.stderr == (
        "There are more. Raise --limit, or narrow the list, for example with --to.\n"
    )
    assert "│" not in drawn


def test_an_empty_list_says_so_and_nothing_else() -> None:
    with scripted.service({"GET /access/audit": {"items": [], "next_cursor": None}}) as service:
        done = service.run("audit")
        narrowed = service.run("audit", "--actor", "ann")
    assert done.stderr == "Nothing has been changed yet.\n"
    assert narrowed.stderr == (
        "No events match. `supervisor-mcp audit` lists them without filters.\n"
    )
