"""supervisor-mcp alerts: active alerts, their history, acknowledgements and silences."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest

from tests.sql.raised_alerts import add_transition, raise_alert
from tests.support.command_line import Service

SINCE = datetime(2025, 6, 15, 12, tzinfo=UTC)


@pytest.fixture
def source() -> str:
    """A source that no other test uses."""
    return f"web-{uuid4().hex[:12]}"


@pytest.fixture
def alert(service: Service, source: str) -> str:
    """A firing alert about the source; its id."""
    dsn = service.analyst_dsn.replace("supervisor_analyst@", "postgres@")
    with psycopg.connect(dsn, autocommit=True, prepare_threshold=None) as conn:
        raised = raise_alert(conn, severity="critical", since=SINCE, source=source, region="eu")
        add_transition(conn, raised, at=SINCE)
    return raised


def rows(service: Service, *arguments: str) -> list[list[str]]:
    """The lines of a table in a pipe, without their heading."""
    done = service.run("alerts", *arguments)
    assert done.returncode == 0, done.stderr
    return [line.split("\t") for line in done.stdout.splitlines()[1:]]


def test_active_alerts_are_listed(service: Service, source: str, alert: str) -> None:
    assert rows(service, "--label", f"source={source}", "--rule", "queue_long") == [
        [
            *("critical", "firing", "queue_long", f"region=eu, source={source}", "12.5"),
            *(SINCE.isoformat(), "", "", alert),
        ]
    ]
    assert rows(service, "--label", f"source={source}", "--state", "pending") == []


def test_an_answer_can_be_json(service: Service, source: str, alert: str) -> None:
    done = service.run("alerts", "--label", f"source={source}", "--json")
    assert [item["id"] for item in json.loads(done.stdout)["items"]] == [alert]


def test_history_is_listed(service: Service, source: str, alert: str) -> None:
    assert rows(service, "history", "--id", alert) == [
        [
            *(SINCE.isoformat(), "critical", "queue_long", "pending", "firing"),
            *(f"region=eu, source={source}", "12.5", "", alert),
        ]
    ]
    assert rows(service, "history", "--id", alert, "--to", "2025-06-15T12:00:00Z") == []


def test_an_alert_is_acknowledged(service: Service, source: str, alert: str) -> None:
    done = service.run("alerts", "ack", alert, "--author", "ann", "--note", "restarting")
    assert done.stdout == "queue_long is acknowledged by ann until it is resolved\n"
    assert rows(service, "--label", f"source={source}")[0][6] == "ann"


def test_an_acknowledgement_has_the_name_of_the_user(service: Service, alert: str) -> None:
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    done = service.run("alerts", "ack", alert, "--until", until, LOGNAME="bob")
    assert done.stdout == f"queue_long is acknowledged by bob until {until}\n"


def test_alerts_are_silenced_until_the_silence_is_cancelled(
    service: Service, source: str, alert: str
) -> None:
    begun = service.run(
        *("alerts", "silence", source, f"source=~{source[:-1]}.", "severity!=info"),
        *("--for", "2h", "--comment", "update", "--author", "ann"),
    )
    assert begun.returncode == 0, begun.stderr
    assert begun.stdout.startswith(f"{source} is active, ")
    assert begun.stdout.endswith("; 1 active alerts match\n")
    (shown,) = rows(service, "--label", f"source={source}", "--suppressed")
    assert (shown[7], shown[8]) == (f"silence {source}", alert)
    (silence,) = [row for row in rows(service, "silences") if row[0] == source]
    assert silence[1:3] == ["active", f"source=~{source[:-1]}. severity!=info"]
    assert silence[5:] == ["ann", "update"]

    ended = service.run("alerts", "silence", source, "--cancel", "--comment", "done")
    assert ended.stdout.startswith(f"{source} is cancelled, ")
    assert rows(service, "--label", f"source={source}", "--notifying")[0][8] == alert


def test_what_the_service_refuses_is_reported(service: Service, source: str) -> None:
    done = service.run(
        "alerts", "silence", source, "source=~(", "--for", "1h", "--comment", "update"
    )
    assert done.returncode == 4
    assert "invalid fields: matchers[0].value" in done.stderr
    assert "parentheses () not balanced" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["severity"], '"severity" is not a matcher.'),
        (["a=b", "--for", "2 h"], '--for "2 h" is no length.'),
        (["a=b", "--for", "2h", "--to", "2030-01-01T00:00:00Z"], "--for and --to are both given."),
    ],
)
def test_arguments_that_cannot_be_are_refused(
    service: Service, arguments: list[str], expected: str
) -> None:
    done = service.run("alerts", "silence", "a", *arguments)
    assert done.returncode == 2
    assert expected in done.stderr
    assert "Hint: Send " in done.stderr


def test_an_unknown_alert_is_reported_with_the_command_that_lists_alerts(service: Service) -> None:
    done = service.run("alerts", "ack", "0123456789abcdef")
    assert done.returncode == 4
    assert "Hint: `supervisor-mcp alerts` lists the alerts with their ids." in done.stderr


def test_nothing_is_said_to_be_nothing(service: Service) -> None:
    assert "No alerts match." in service.run("alerts", "--label", "source=none").stderr
    assert "Nothing has changed" in service.run("alerts", "history", "--id", "none").stderr
