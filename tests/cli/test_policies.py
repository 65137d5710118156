"""supervisor-mcp policies, pins and doctor: what a database administrator does."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.support import scripted
from tests.support.command_line import Service
from tests.support.ports import free_port
from tests.support.scripted import Unchecked

STYLE = re.compile(r"\x1b\[[0-9;]*m")


def rows(printed: str) -> list[list[str]]:
    return [line.split("\t") for line in printed.splitlines()]


def test_policies_are_listed_with_the_values_of_the_release(service: Service) -> None:
    header, *listed = rows(service.run("policies", "--policy", "retention").stdout)
    assert header == ["policy", "name", "value", "shipped"]
    assert ["retention", "data.sample", "90 days", "90 days"] in listed


def test_a_terminal_has_policies_in_tables_without_frames(service: Service) -> None:
    terminal = {"TTY_COMPATIBLE": "1", "NO_COLOR": "1", "COLUMNS": "100"}
    unchanged = ("set", "columnstore", "data.fact", "8 days")
    for arguments, title, heading in (
        (("--policy", "refresh"), "Policies", "policy name value shipped"),
        (unchanged, "data.fact", "field value"),
    ):
        drawn = STYLE.sub("", service.run("policies", *arguments, **terminal).stdout)
        assert drawn.splitlines()[0] == title
        assert " ".join(drawn.splitlines()[1].split()) == heading
        assert not set("│┃─━") & set(drawn)


def test_that_a_policy_was_as_it_is_now_is_said(service: Service) -> None:
    before = {"policy": "columnstore", "name": "data.kind_1h", "shipped": "8 days"}
    for value, changed in (("22 days", "true"), ("22 days", "false"), ("8 days", "true")):
        done = service.run("policies", "set", "columnstore", "data.kind_1h", value)
        assert dict(rows(done.stdout)) == {
            "field": "value",
            **before,
            "value": value,
            "changed": changed,
        }
        assert done.stderr == ("" if changed == "true" else "Nothing has changed.\n")


def test_a_policy_is_set_and_set_back(service: Service) -> None:
    for value, changed in (("21 days", True), ("21 days", False), ("8 days", True)):
        done = service.run("policies", "set", "columnstore", "data.fact", value, "--json")
        answer = json.loads(done.stdout)
        assert (answer["value"], answer["shipped"], answer["changed"]) == (
            value,
            "8 days",
            changed,
        )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("set", "retention", "data.sample", "9 days"), "policies plan"),
        (("set", "quota", "wishes", "9"), "`supervisor-mcp policies`"),
        (("set", "refresh", "settle", "soon"), "90 days"),
        (("plan", "data.kind"), "`supervisor-mcp policies`"),
    ],
)
def test_a_bad_policy_is_refused_with_the_next_step(
    service: Service, arguments: tuple[str, ...], said: str
) -> None:
    done = service.run("policies", *arguments)
    assert done.returncode == 4
    assert said in done.stderr


def test_a_plan_says_what_would_go_and_why_not(service: Service) -> None:
    done = service.run("policies", "plan", "data.sample", "9 days")
    assert done.returncode == 0
    assert "After 9 days," in done.stderr
    assert "Refused: snapshot_aggregates needs the rows." in done.stderr


@pytest.mark.parametrize(
    ("chunks", "rows", "said"),
    [
        (1, 1, "After 9 days, 1 chunk with about 1 row and 8,192 bytes goes.\n"),
        (2, 12_345, "After 9 days, 2 chunks with about 12,345 rows and 8,192 bytes go.\n"),
    ],
)
def test_what_goes_is_counted_in_a_sentence(chunks: int, rows: int, said: str) -> None:
    drops = {"chunks": chunks, "rows": rows, "bytes": 8_192}
    plan = Unchecked({"chunks": [], "drop_after": "9 days", "drops": drops, "refused": []})
    with scripted.service({"GET /admin/policies/retention/data.sample/plan": plan}) as service:
        done = service.run("policies", "plan", "data.sample", "9 days")
    assert done.stderr == said


def test_chunks_that_expire_are_listed_with_their_pins(service: Service, name: str) -> None:
    at = datetime.now(UTC) - timedelta(days=40)
    item = {"name": name, "source": name, "value": 1, "ts": at.isoformat()}
    httpx.post(f"{service.url}/ingest/metrics", json=[item]).raise_for_status()
    pin = {
        "source": name,
        "from": (at - timedelta(hours=1)).isoformat(),
        "to": (at + timedelta(hours=1)).isoformat(),
        "reason": "outage",
    }
    created = httpx.post(f"{service.url}/admin/pins", json=pin).raise_for_status().json()
    planned = ("policies", "plan", "data.sample", "20 days")

    done = service.run(*planned)

    heading, *chunks = rows(done.stdout)
    assert heading == ["from", "to", "rows", "bytes", "pinned by"]
    (chunk,) = [each for each in chunks if each[0] <= at.isoformat() < each[1]]
    assert f"{created['id']} ({name})" in chunk[4].split(", ")
    assert int(chunk[3]) > int(chunk[2]) > 0
    drawn = service.run(*planned, TTY_COMPATIBLE="1", NO_COLOR="1", COLUMNS="150").stdout
    assert STYLE.sub("", drawn).splitlines()[0] == "Chunks of data.sample that expire"
    assert not set("│┃─━") & set(drawn)
    httpx.delete(f"{service.url}/admin/pins/{created['id']}").raise_for_status()


def test_a_range_is_pinned_listed_and_removed(service: Service, name: str) -> None:
    item = {"name": name, "source": name, "value": 1}
    httpx.post(f"{service.url}/ingest/metrics", json=[item]).raise_for_status()
    start = datetime.now(UTC) - timedelta(hours=1)
    done = service.run(
        *("pins", "add", name, "--from", start.isoformat()),
        *("--to", datetime.now(UTC).isoformat(), "--reason", "outage", "--json"),
    )
    number = str(json.loads(done.stdout)["id"])
    (_, listed) = rows(service.run("pins", "--source", name).stdout)
    assert (listed[:2], listed[4]) == ([number, name], "outage")
    assert service.run("pins", "remove", number).returncode == 0
    assert "No pins match" in service.run("pins", "--source", name).stderr
    assert "`supervisor-mcp pins`" in service.run("pins", "remove", number).stderr


def test_the_doctor_asks_the_service(service: Service) -> None:
    done = service.run("doctor", "--json")
    answer = json.loads(done.stdout)
    assert answer["versions"]["postgresql"].startswith("17.")
    assert done.returncode == (1 if answer["status"] == "error" else 0)


def test_the_doctor_asks_the_database_where_no_service_answers(service: Service) -> None:
    database = service.analyst_dsn.replace("supervisor_analyst@", "postgres@")
    nobody = f"http://127.0.0.1:{free_port()}"
    done = service.run("doctor", SUPERVISOR_URL=nobody, SUPERVISOR_DATABASE_URL=database)
    assert "Asking the database" in done.stderr
    assert "TimescaleDB 2." in done.stderr


def test_the_doctor_refuses_a_setting_that_is_not_a_dsn(service: Service) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    done = service.run("doctor", SUPERVISOR_URL=nobody, SUPERVISOR_DATABASE_URL="no dsn")
    assert done.returncode == 2
    assert "SUPERVISOR_DATABASE_URL is not a DSN" in done.stderr


def test_the_doctor_says_that_nothing_answers(service: Service) -> None:
    port = free_port()
    done = service.run(
        "doctor",
        SUPERVISOR_URL=f"http://127.0.0.1:{port}",
        SUPERVISOR_DATABASE_URL=f"postgresql://postgres@127.0.0.1:{port}/postgres",
    )
    assert done.returncode == 3
    assert "The database does not answer" in done.stderr


PIN = {
    "id": 7,
    "source": "web",
    "from": "2026-11-18T10:00:00+00:00",
    "to": "2026-11-25T10:00:00+00:00",
    "reason": "outage",
    "author": "ann",
    "pinned_at": "2026-11-25T11:00:00+00:00",
}
PIN_COLUMNS = "id\tsource\tfrom\tto\treason\tauthor\tpinned at\n"
PIN_ROWS = (
    "field\tvalue\n"
    "id\t7\n"
    "source\tweb\n"
    "from\t2026-11-18T10:00:00+00:00\n"
    "to\t2026-11-25T10:00:00+00:00\n"
    "reason\toutage\n"
    "author\tann\n"
    "pinned at\t2026-11-25T11:00:00+00:00\n"
)


def test_everything_of_pins_is_printed() -> None:
    answers = {
        "GET /admin/pins": {"items": [PIN]},
        "POST /admin/pins": PIN,
        "DELETE /admin/pins/7": PIN,
    }
    with scripted.service(answers) as service:
        listed = service.run("pins")
        as_json = service.run("pins", "--source", "web", "--json")
        added = service.run(
            *("pins", "add", "web", "--from", "2026-11-18", "--to", "2026-11-25"),
            *("--reason", "outage"),
        )
        removed = service.run("pins", "remove", "7")
        removed_as_json = service.run("pins", "remove", "7", "--json")
        drawn = service.draw("pins") + service.draw("pins", "remove", "7")
    assert service.asked[:2] == ["GET /admin/pins", "GET /admin/pins?source=web"]
    assert listed.stdout == PIN_COLUMNS + (
        "7\tweb\t2026-11-18T10:00:00+00:00\t2026-11-25T10:00:00+00:00\toutage\tann"
        "\t2026-11-25T11:00:00+00:00\n"
    )
    assert listed.stderr == ""
    assert json.loads(as_json.stdout) == {"items": [PIN]}
    assert added.stdout == removed.stdout == PIN_ROWS
    assert (
        removed.stderr == "The pin is removed: retention drops the rows once they have expired.\n"
    )
    assert removed_as_json.stderr == ""
    assert json.loads(removed_as_json.stdout) == PIN
    assert "Pin 7\n" in drawn
    assert "│" not in drawn


def test_the_id_of_a_pin_is_drawn_as_it_is_typed_to_remove_it() -> None:
    pin = {**PIN, "id": 1234}
    answers = {"GET /admin/pins": {"items": [pin]}, "POST /admin/pins": pin}
    with scripted.service(answers) as service:
        listed = service.draw("pins")
        added = service.draw(
            *("pins", "add", "web", "--from", "2026-11-18", "--to", "2026-11-25"),
            *("--reason", "outage"),
        )
    assert listed.splitlines()[2].split()[:2] == ["1234", "web"]
    assert added.splitlines()[2].split() == ["id", "1234"]


def test_no_pins_are_said_to_be_none() -> None:
    with scripted.service({"GET /admin/pins": {"items": []}}) as service:
        done = service.run("pins")
    assert (done.stdout, done.stderr) == (PIN_COLUMNS, "Nothing is pinned.\n")


VERSIONS = {"release": "0.1.0", "postgresql": "17.5", "timescaledb": "2.23.0"}


@pytest.mark.parametrize(("found", "status"), [("warning", 0), ("error", 1)])
def test_everything_that_the_doctor_finds_is_printed(found: str, status: int) -> None:
    finding = {"status": found, "name": "jobs", "detail": "One fails.", "repair": "See the log."}
    answer = {
        "status": found,
        "versions": VERSIONS,
        "checked": ["versions", "jobs"],
        "findings": [finding],
    }
    with scripted.service({"GET /admin/doctor": answer}) as service:
        done = service.run("doctor")
        as_json = service.run("doctor", "--json")
        drawn = service.run("doctor", TTY_COMPATIBLE="1", COLUMNS="120").stdout
    assert done.stderr == "Release 0.1.0 on PostgreSQL 17.5 and TimescaleDB 2.23.0.\n"
    assert done.stdout == (
        f"status\tcheck\tfinding\trepair\n{found}\tjobs\tOne fails.\tSee the log.\n"
    )
    assert (json.loads(as_json.stdout), as_json.stderr) == (answer, "")
    assert done.returncode == as_json.returncode == status
    assert "│" not in drawn


def test_the_doctor_says_what_nothing_is_wrong_with() -> None:
    answer = {"status": "ok", "versions": VERSIONS, "checked": ["versions", "jobs"], "findings": []}
    with scripted.service({"GET /admin/doctor": answer}) as service:
        done = service.run("doctor")
    assert done.returncode == 0
    assert done.stderr == (
        "Release 0.1.0 on PostgreSQL 17.5 and TimescaleDB 2.23.0.\n"
        "Nothing is wrong with versions, jobs.\n"
    )


def test_the_doctor_asks_no_database_where_the_service_refuses_or_no_database_is_set() -> None:
    problem = {
        "type": "urn:supervisor-mcp:problem:busy",
        "title": "Busy",
        "status": 503,
        "detail": "too busy",
    }
    nowhere = f"postgresql://me@127.0.0.1:{free_port()}/none"
    with scripted.service({"GET /admin/doctor": (503, problem)}) as service:
        done = service.run("doctor", SUPERVISOR_DATABASE_URL=nowhere)
    assert (done.returncode, done.stderr) == (4, "too busy\n")
    done = service.run("doctor")
    assert done.returncode == 3
    assert "Asking the database" not in done.stderr


def test_the_doctor_says_that_a_database_has_no_schema_that_it_can_use(service: Service) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    done = service.run("doctor", SUPERVISOR_URL=nobody, SUPERVISOR_DATABASE_URL=service.analyst_dsn)
    assert done.returncode == 1
    assert "The database has no schema of this release: " in done.stderr
    assert "Hint: Run `supervisor-mcp deploy`." in done.stderr
