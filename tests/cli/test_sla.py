from __future__ import annotations

import json
import re
from uuid import uuid4

import httpx
import psycopg
import pytest

from tests.support.command_line import Service

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
    assert "\tann\twas planned\t90\t" in done.stdout
    drawn = service.run("sla", watched, TTY_COMPATIBLE="1", NO_COLOR="1", COLUMNS="150")
    assert re.search(r"│ \d{4}-\d\d-\d\d \d\d:\d\d UTC │", drawn.stdout)


def test_sla_of_a_server_without_reports_names_the_next_step(service: Service, server: str) -> None:
    done = service.run("sla", server)
    assert "uptime_percent\t\n" in done.stdout
    assert "budget_left_seconds\t\n" in done.stdout
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
