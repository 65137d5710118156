from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import psycopg
import pytest

from tests.support.command_line import Service

STYLE = re.compile(r"\x1b\[[0-9;]*m")
# Ten hours that ended two days ago: an hour of them down.
HISTORY = """
with server as (
    update data.server set registered_at = date_trunc('day', now(), 'UTC') - interval '3 days'
    where name = %(name)s
    returning server_id, registered_at
),
uptime as (
    insert into data.service_uptime
    select tstzrange(registered_at, registered_at + interval '10 hours') from server
)
insert into data.health_interval (server_id, signal, status, during)
select server_id, 'probe', status, tstzrange(
    registered_at + first * interval '1 hour', registered_at + last * interval '1 hour'
)
from server, (values ('up', 0, 6), ('down', 6, 7), ('up', 7, 10)) as part (status, first, last)
"""


@pytest.fixture
def watched(service: Service, server: str) -> str:
    """A server with ten hours of history."""
    dsn = service.analyst_dsn.replace("supervisor_analyst@", "postgres@")
    with psycopg.connect(dsn, autocommit=True, prepare_threshold=None) as conn:
        conn.execute(HISTORY, {"name": server})
    return server


def test_sla_lists_servers(service: Service, watched: str) -> None:
    done = service.run("sla", "--window", "7d")
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert rows[0] == [
        *("name", "uptime_percent", "target_percent", "coverage_percent"),
        *("outages", "budget_left_seconds"),
    ]
    (row,) = [row for row in rows if row[0] == watched]
    assert row[1:3] == ["90", "99.9"]
    assert row[4:] == ["1", "-3564"]


def test_a_terminal_has_servers_in_a_table_under_its_time(service: Service, watched: str) -> None:
    start = datetime.now(UTC).date() - timedelta(days=3)
    end = start + timedelta(days=1)
    done = service.run(
        *("sla", "--from", f"{start}T00:00:00Z", "--to", f"{end}T00:00:00Z"),
        **{"TTY_COMPATIBLE": "1", "NO_COLOR": "1", "COLUMNS": "150"},
    )
    title, heading, *lines = STYLE.sub("", done.stdout).splitlines()
    assert title == f"SLA, {start} 00:00 to {end} 00:00 UTC"
    assert re.split(" {2,}", heading.strip()) == [
        *("name", "uptime %", "target %", "coverage %", "outages", "budget left"),
    ]
    (line,) = [line for line in lines if line.startswith(watched)]
    assert line.split() == [watched, "90", "99.9", "41.666", "1", "-59.4", "min"]
    assert done.stderr == ""


def test_a_list_that_is_cut_short_says_so(service: Service, watched: str) -> None:
    put = httpx.put(
        f"{service.url}/registry/servers/{watched}x",
        json={"description": "Searches", "version": "1.0.0"},
    )
    put.raise_for_status()
    done = service.run("sla", "--limit", "1")
    assert len(done.stdout.splitlines()) == 2
    assert done.stderr == "There are more. Raise --limit, or name a server.\n"


def test_sla_of_a_server_has_its_measures(service: Service, watched: str) -> None:
    done = service.run("sla", watched)
    assert done.stderr == ""
    measures = [line.split("\t") for line in done.stdout.splitlines()[:15]]
    coverage, unknown = measures.pop(2), measures.pop(5)
    assert (coverage[0], unknown[0]) == ("coverage_percent", "unknown_seconds")
    assert measures == [
        ["measure", "value"],
        ["uptime_percent", "90"],
        ["up_seconds", "32400"],
        ["degraded_seconds", "0"],
        ["down_seconds", "3600"],
        ["maintenance_seconds", "0"],
        ["outages", "1"],
        ["longest_seconds", "3600"],
        ["mean_to_recover_seconds", "3600"],
        ["target_percent", "99.9"],
        ["budget_seconds", "36"],
        ["budget_left_seconds", "-3564"],
        ["budget_left_percent", "-9900"],
    ]


def test_an_error_budget_that_is_used_up_is_not_exceeded(service: Service, watched: str) -> None:
    for target, left, percent in ((90, "0 s", "0"), (90.05, "-18 s", "exceeded")):
        document = {"description": "Searches", "version": "1.0.0", "sla_target": target}
        url = f"{service.url}/registry/servers/{watched}"
        httpx.put(url, json=document).raise_for_status()
        drawn = service.run("sla", watched, TTY_COMPATIBLE="1", NO_COLOR="1", COLUMNS="100").stdout
        assert re.search(rf"│ budget left +│ {left} +│", drawn)
        assert re.search(rf"│ budget left % +│ {percent} +│", drawn)


def test_sla_of_a_server_lists_its_days(service: Service, watched: str) -> None:
    done = service.run("sla", watched)
    lines = done.stdout.splitlines()
    assert "uptime_percent\t90" in lines
    assert "down_seconds\t3600" in lines
    days = lines[lines.index(next(line for line in lines if line.startswith("day\t"))) + 1 :]
    assert len(days) == 4
    assert days[0].split("\t")[1:] == ["90", "32400", "0", "3600", "50400", "0"]


def test_sla_of_a_server_draws_its_days_on_a_terminal(service: Service, watched: str) -> None:
    done = service.run("sla", watched, TTY_COMPATIBLE="1", NO_COLOR="1", COLUMNS="100")
    assert f"SLA of {watched}, 30d up to" in done.stdout
    assert "▃\x1b[2m···\x1b" in done.stdout
    assert "▃ below the target, · unknown" in done.stdout
    assert "│ 1 h " in done.stdout


def test_an_exceeded_error_budget_is_a_length_of_time_on_a_terminal(
    service: Service, watched: str
) -> None:
    drawn = service.run("sla", watched, TTY_COMPATIBLE="1", NO_COLOR="1", COLUMNS="100").stdout
    assert re.search(r"│ budget left +│ -59[.]4 min │", drawn)
    assert re.search(r"│ budget left % +│ exceeded +│", drawn)
    assert "budget_left_percent\t-9900\n" in service.run("sla", watched).stdout


def test_sla_shows_restatements(service: Service, watched: str) -> None:
    (item,) = httpx.get(f"{service.url}/health/sla?name={watched}").json()["items"]
    httpx.put(
        f"{service.url}/health/maintenance/{uuid4().hex}",
        json={
            "servers": [watched],
            "from": item["from"],
            "to": item["to"],
            "author": "ann",
            "reason": "was planned",
        },
    ).raise_for_status()
    done = service.run("sla", watched)
    *_, heading, line = done.stdout.splitlines()
    assert heading.split("\t") == [
        *("restated_at", "maintenance", "author", "reason"),
        *("30d_before_percent", "30d_after_percent"),
    ]
    assert line.split("\t")[2:] == ["ann", "was planned", "90", ""]
    # All of the time that nobody reported in is maintenance.
    assert done.stderr == ""
    drawn = service.run("sla", watched, TTY_COMPATIBLE="1", NO_COLOR="1", COLUMNS="150")
    assert re.search(r"│ \d{4}-\d\d-\d\d \d\d:\d\d UTC │", drawn.stdout)


def test_sla_of_a_server_without_reports_names_the_next_step(service: Service, server: str) -> None:
    done = service.run("sla", server)
    assert "uptime_percent\t\n" in done.stdout
    assert "budget_seconds\t\nbudget_left_seconds\t\n" in done.stdout
    assert f"`supervisor-mcp heartbeat {server}`" in done.stderr


def test_sla_before_the_first_server_names_the_next_step(service: Service) -> None:
    done = service.run("sla", "--from", "2001-01-01T00:00:00Z", "--to", "2001-01-02T00:00:00Z")
    assert "register FILE" in done.stderr
    assert done.returncode == 0


def test_sla_as_json_is_the_answer_of_the_service(service: Service, watched: str) -> None:
    options = ("--from", "2026-01-01T00:00:00Z", "--timezone", "Asia/Tokyo", "--json")
    answer = json.loads(service.run("sla", watched, *options).stdout)
    assert answer["timezone"] == "Asia/Tokyo"
    assert answer["items"][0]["name"] == watched


def test_an_unknown_time_zone_is_refused_with_the_nearest_name(service: Service) -> None:
    done = service.run("sla", "--timezone", "Europe/Berln")
    assert done.returncode == 4
    assert 'Did you mean "Europe/Berlin"?' in done.stderr
