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
    until = (datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)).isoformat()
    done = service.run("alerts", "ack", alert, "--until", until, LOGNAME="bob")
    assert done.stdout == f"queue_long is acknowledged by bob until {until}\n"


def test_an_acknowledgement_can_end_after_a_length_of_time(service: Service, alert: str) -> None:
    done = service.run("alerts", "ack", alert, "--until", "2h", "--author", "ann", "--json")
    until = datetime.fromisoformat(json.loads(done.stdout)["ack"]["until"])
    assert abs(until - datetime.now(UTC) - timedelta(hours=2)) < timedelta(minutes=1)
    refused = service.run("alerts", "ack", alert, "--until", "2 hours")
    assert (refused.returncode, "until" in refused.stderr) == (4, True)


def test_an_alert_is_shown_with_what_is_known_of_it(
    service: Service, source: str, alert: str
) -> None:
    service.run("alerts", "ack", alert, "--author", "ann", "--note", "restarting")
    service.run(
        *("alerts", "silence", source, f"source={source}", "--for", "2h", "--comment", "update"),
        *("--author", "bob"),
    )
    done = service.run("alerts", "show", alert)
    assert done.returncode == 0, done.stderr
    fields = dict(line.split("\t") for line in done.stdout.split("\n\n")[0].splitlines())
    assert (fields["state"], fields["severity"], fields["value"]) == ("firing", "critical", "12.5")
    assert fields["active"] == SINCE.isoformat()
    assert (fields["labels.source"], fields["labels.region"]) == (source, "eu")
    assert fields["annotations.summary"] == "queue_long is active"
    assert fields["ack"].startswith("ann, ")
    assert fields["ack"].endswith(": restarting")
    assert fields["silence"].startswith(f"{source} until ")
    assert fields["silence"].endswith(f"source={source}, update (bob)")
    changes = done.stdout.split("\n\n")[1].splitlines()
    assert changes[1].split("\t") == [SINCE.isoformat(), "pending", "firing", "12.5", ""]
    service.run("alerts", "silence", source, "--cancel")


def test_an_alert_can_be_shown_as_json(service: Service, alert: str) -> None:
    shown = json.loads(service.run("alerts", "show", alert, "--json").stdout)
    assert shown.keys() == {"active", "rule", "silences", "history"}
    assert shown["active"]["items"][0]["id"] == shown["history"]["items"][0]["id"] == alert


def test_alerts_are_silenced_until_the_silence_is_cancelled(
    service: Service, source: str, alert: str
) -> None:
    begun = service.run(
        *("alerts", "silence", source, f"source=~{source[:-1]}.", "severity!=info"),
        *("--for", "2h", "--comment", "update", "--author", "ann"),
    )
    assert begun.returncode == 0, begun.stderr
    assert begun.stdout.startswith(f"{source} is active, ")
    assert begun.stdout.endswith("; it matches 1 active alert\n")
    (shown,) = rows(service, "--label", f"source={source}", "--suppressed")
    assert (shown[7], shown[8]) == (f"silence {source}", alert)
    (silence,) = [row for row in rows(service, "silences") if row[0] == source]
    assert silence[1:3] == ["active", f"source=~{source[:-1]}. severity!=info"]
    assert silence[5:] == ["ann", "update"]

    ended = service.run("alerts", "silence", source, "--cancel")
    assert (ended.stdout, ended.stderr) == (f"{source} is cancelled\n", "")
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
        (["a==b"], '"a==b" has the operator ==, which matchers do not have.'),
        (["a!==b"], '"a!==b" has the operator !==, which matchers do not have.'),
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
    assert "Hint: " in done.stderr


def test_a_label_with_two_equals_signs_is_refused(service: Service) -> None:
    for command in ((), ("history",)):
        done = service.run("alerts", *command, "--label", "severity==critical")
        assert done.returncode == 2
        assert "Use = for equality: --label severity=critical." in done.stderr


def test_labels_that_nothing_has_are_named(service: Service, source: str, alert: str) -> None:
    expected = 'No active alert or rule has the label "regoin". Did you mean "region"? The labels '
    for command in ((), ("history",)):
        done = service.run("alerts", *command, "--label", "regoin=eu")
        assert done.returncode == 0
        assert expected in done.stderr
    silenced = service.run(
        "alerts", "silence", source, "regoin=eu", "--for", "1h", "--comment", "test"
    )
    assert "; it matches 0 active alerts\n" in silenced.stdout
    assert expected in silenced.stderr
    assert service.run("alerts", "silence", source, "--cancel").returncode == 0


def test_an_unknown_alert_is_reported_with_the_command_that_lists_alerts(service: Service) -> None:
    done = service.run("alerts", "ack", "0123456789abcdef")
    assert done.returncode == 4
    assert "Hint: `supervisor-mcp alerts` lists the alerts with their ids." in done.stderr
    assert service.run("alerts", "show", "0123456789abcdef").stderr == done.stderr.replace(
        "no active alert", "unknown alert"
    )


def test_nothing_is_said_to_be_nothing(service: Service) -> None:
    assert "No alerts match." in service.run("alerts", "--label", "source=none").stderr
    assert "Nothing has changed" in service.run("alerts", "history", "--id", "none").stderr
