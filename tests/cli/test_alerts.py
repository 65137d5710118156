"""supervisor-mcp alerts: active alerts, their history, acknowledgements and silences."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest

from tests.sql.raised_alerts import add_transition, raise_alert
from tests.support import command_line, scripted
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


ALERT = {
    "id": "27d060938cd0344d",
    "rule": "queue_long",
    "version": 1,
    "severity": "critical",
    "state": "firing",
    "labels": {"region": "eu", "source": "web", "severity": "critical", "alertname": "queue_long"},
    "annotations": {"summary": "The queue is long.", "runbook": "docs/queue.md"},
    "value": 12.5,
    "active_at": "2026-11-25T10:00:00+00:00",
    "fired_at": "2026-11-25T10:05:00+00:00",
    "recovering_at": None,
    "ack": {
        "author": "ann",
        "at": "2026-11-25T10:06:00+00:00",
        "until": "2026-11-25T12:00:00+00:00",
        "note": "restarting",
    },
    "suppressed": True,
    "silenced_by": ["update"],
    "inhibited_by": ["0123456789abcdef", "fedcba9876543210"],
    "maintenance": ["move"],
    "evidence": {
        "value": 12.5,
        "query": {"operation": "query_agg", "arguments": {"kind": "queue", "window": "5m"}},
    },
}
CHANGE = {
    "id": "27d060938cd0344d",
    "rule": "queue_long",
    "version": 1,
    "severity": "critical",
    "at": "2026-11-25T10:05:00+00:00",
    "from_state": "pending",
    "to_state": "firing",
    "late": True,
    "value": 12.5,
    "labels": ALERT["labels"],
    "annotations": ALERT["annotations"],
    "evidence": {},
}
SILENCE = {
    "id": "update",
    "status": "active",
    "matchers": [{"name": "source", "value": "web", "operator": "="}],
    "from": "2026-11-25T09:00:00+00:00",
    "to": "2026-11-25T11:00:00+00:00",
    "author": "bob",
    "comment": "update of the database",
    "updated_at": "2026-11-25T09:00:00+00:00",
    "versions": [],
}


def page(*items: object, more: bool = False, **others: object) -> dict[str, object]:
    return {"items": list(items), "next_cursor": "more" if more else None, **others}


def test_everything_of_active_alerts_is_printed() -> None:
    plain = {**ALERT, "ack": None, "silenced_by": [], "inhibited_by": [], "maintenance": []}
    answer = page(ALERT, plain, more=True, hint="A hint.")
    with scripted.service({"GET /alerts/active": answer}) as service:
        done = service.run("alerts")
        service.run(
            *("alerts", "--state", "firing", "--rule", "queue_long", "--server", "web"),
            *("--label", "region=eu", "--suppressed", "--limit", "5"),
        )
        service.run("alerts", "--notifying")
        drawn = service.draw("alerts")
    assert service.asked[:3] == [
        "GET /alerts/active?limit=100",
        "GET /alerts/active?state=firing&rule=queue_long&server=web&suppressed=true"
        "&label.region=eu&limit=5",
        "GET /alerts/active?suppressed=false&limit=100",
    ]
    row = "critical\tfiring\tqueue_long\tregion=eu, source=web\t12.5\t2026-11-25T10:00:00+00:00"
    assert done.stdout == (
        "severity\tstate\trule\tlabels\tvalue\tactive\tack\tsuppressed\tid\n"
        f"{row}\tann\tsilence update, alert 0123456789abcdef, alert fedcba9876543210,"
        " maintenance move\t27d060938cd0344d\n"
        f"{row}\t\t\t27d060938cd0344d\n"
    )
    assert done.stderr == (
        "A hint.\nThere are more. Raise --limit, or narrow the list, for example with --rule.\n"
    )
    assert "│" not in drawn


def test_everything_of_the_history_of_alerts_is_printed() -> None:
    why = {**CHANGE, "late": False, "value": None, "evidence": {"reason": "rule changed"}}
    answer = page(CHANGE, why, {**CHANGE, "late": False}, more=True, hint="A hint.")
    with scripted.service({"GET /alerts/history": answer}) as service:
        done = service.run("alerts", "history")
        as_json = service.run("alerts", "history", "--json")
        service.run(
            *("alerts", "history", "--rule", "queue_long", "--id", "a", "--label", "region=eu"),
            *("--from", "2026-11-25", "--to", "2026-11-26", "--limit", "5"),
        )
        drawn = service.draw("alerts", "history")
    assert service.asked[::2] == [
        "GET /alerts/history?limit=20",
        "GET /alerts/history?rule=queue_long&id=a&from=2026-11-25&to=2026-11-26&label.region=eu"
        "&limit=5",
    ]
    start = "2026-11-25T10:05:00+00:00\tcritical\tqueue_long\tpending\tfiring"
    labels = "region=eu, source=web"
    assert done.stdout == (
        "at\tseverity\trule\tfrom\tto\tlabels\tvalue\tcause\tid\n"
        f"{start}\t{labels}\t12.5\tlate data\t27d060938cd0344d\n"
        f"{start}\t{labels}\t\trule changed\t27d060938cd0344d\n"
        f"{start}\t{labels}\t12.5\t\t27d060938cd0344d\n"
    )
    assert done.stderr == (
        "A hint.\nThere are more. Raise --limit, or narrow the list, for example with --to.\n"
    )
    assert json.loads(as_json.stdout) == answer
    assert "│" not in drawn


@pytest.mark.parametrize(
    ("path", "arguments", "said"),
    [
        ("active", (), "No alert is active.\n"),
        (
            *("active", ("--rule", "a")),
            "No alerts match. `supervisor-mcp alerts` lists them without filters.\n",
        ),
        ("history", ("history",), "Nothing has changed in this time.\n"),
        ("silences", ("silences",), "No silence is planned or active.\n"),
        ("silences", ("silences", "--from", "2026-11-25"), "No silence matches.\n"),
    ],
)
def test_an_empty_list_says_so_and_nothing_else(
    path: str, arguments: tuple[str, ...], said: str
) -> None:
    answer = page() if path == "silences" else page(hint=None)
    with scripted.service({f"GET /alerts/{path}": answer}) as service:
        done = service.run("alerts", *arguments)
        as_json = service.run("alerts", *arguments, "--json")
    assert done.stderr == said
    assert (json.loads(as_json.stdout), as_json.stderr) == (answer, "")


def test_everything_of_silences_is_printed() -> None:
    with scripted.service({"GET /alerts/silences": page(SILENCE, more=True)}) as service:
        done = service.run("alerts", "silences")
        service.run("alerts", "silences", "--from", "2026-11-25", "--limit", "5")
        drawn = service.draw("alerts", "silences")
    assert service.asked[:2] == [
        "GET /alerts/silences?limit=100",
        "GET /alerts/silences?from=2026-11-25&limit=5",
    ]
    assert done.stdout == (
        "id\tstatus\tmatchers\tfrom\tto\tauthor\tcomment\n"
        "update\tactive\tsource=web\t2026-11-25T09:00:00+00:00\t2026-11-25T11:00:00+00:00\tbob"
        "\tupdate of the database\n"
    )
    assert done.stderr == "There are more. Raise --limit.\n"
    assert "│" not in drawn


def test_a_silence_is_sent_as_it_is_given_and_its_answer_printed() -> None:
    answer = {**SILENCE, "changed": True, "alerts": 2, "hint": "A hint."}
    with scripted.service({"PUT /alerts/silences/update": answer}) as service:
        done = service.run(
            *("alerts", "silence", "update", "source=web", "--from", "2026-11-25"),
            *("--to", "2026-11-26", "--comment", "why", "--author", "bob"),
        )
        as_json = service.run("alerts", "silence", "update", "--author", "bob", "--json")
        cancelled = service.run("alerts", "silence", "update", "--cancel", "--author", "bob")
    assert service.sent == [
        {
            "author": "bob",
            "comment": "why",
            "matchers": [{"name": "source", "operator": "=", "value": "web"}],
            "from": "2026-11-25",
            "to": "2026-11-26",
        },
        {"author": "bob"},
        {"author": "bob", "cancelled": True},
    ]
    assert done.stdout == (
        "update is active, 2026-11-25T09:00:00+00:00 to 2026-11-25T11:00:00+00:00;"
        " it matches 2 active alerts\n"
    )
    assert done.stderr == "A hint.\n"
    assert json.loads(as_json.stdout) == answer
    assert (cancelled.stdout, cancelled.stderr) == ("update is active\n", "")


def test_a_silence_of_every_alert_is_refused_with_a_matcher_as_it_is_typed(
    service: Service, name: str
) -> None:
    done = service.run(
        *("alerts", "silence", name, "region!=eu", "--for", "2h", "--comment", "why"),
        *("--author", "ann"),
    )
    assert done.returncode == 4
    assert "Send at least one matcher that wants a label, such as source=web." in done.stderr


def test_an_acknowledgement_and_a_silence_end_at_a_time_of_one_form() -> None:
    silence = {**SILENCE, "changed": True, "alerts": 2, "hint": None}
    id_ = str(ALERT["id"])
    answers = {f"POST /alerts/active/{id_}/ack": ALERT, "PUT /alerts/silences/update": silence}
    with scripted.service(answers) as service:
        acknowledged = service.draw("alerts", "ack", id_, "--until", "2h", "--author", "ann")
        silenced = service.draw("alerts", "silence", "update", "--for", "2h", "--author", "ann")
        piped = service.run("alerts", "ack", id_, "--author", "ann")
    assert acknowledged == "queue_long is acknowledged by ann until 2026-11-25 12:00 UTC\n"
    assert "2026-11-25 09:00 UTC to 2026-11-25 11:00 UTC;" in silenced
    assert piped.stdout == "queue_long is acknowledged by ann until 2026-11-25T12:00:00+00:00\n"


def test_a_silence_can_start_a_length_from_now() -> None:
    silence = {**SILENCE, "changed": True, "alerts": 2, "hint": None}
    before = datetime.now(UTC)
    with scripted.service({"PUT /alerts/silences/update": silence}) as service:
        service.run("alerts", "silence", "update", "--from", "30m", "--author", "ann")
    (sent,) = service.sent
    started = datetime.fromisoformat(sent["from"]) - timedelta(minutes=30)
    assert before <= started <= datetime.now(UTC)


def shown_alert(
    active: list[object], changes: list[object], condition: dict[str, object]
) -> dict[str, object]:
    """What the service is asked for one alert."""
    rule = {
        **{"name": "queue_long", "state": "firing", "firing": 1, "pending": 0},
        **{"severity": "critical", "type": "metric", "version": 1, "author": "ann"},
        "defined_at": "2026-11-20T10:00:00+00:00",
        **dict.fromkeys(("evaluated_at", "error", "error_since", "deleted_at", "deleted_by")),
        "document": {"condition": condition},
        "versions": [],
    }
    other = {**SILENCE, "id": "other"}
    return {
        "GET /alerts/active": page(*active, hint=None),
        "GET /alerts/history": page(*changes, hint=None),
        "GET /alerts/rules/queue_long": {**rule, "next_cursor": None},
        "GET /alerts/silences": page(other, SILENCE),
    }


def test_everything_of_an_alert_is_printed() -> None:
    condition = {"operator": ">", "threshold": 10}
    id_ = "27d060938cd0344d"
    with scripted.service(shown_alert([ALERT], [CHANGE] * 10, condition)) as service:
        done = service.run("alerts", "show", id_)
        drawn = service.draw("alerts", "show", id_)
    assert service.asked[:4] == [
        f"GET /alerts/active?id={id_}",
        f"GET /alerts/history?id={id_}&limit=10",
        "GET /alerts/rules/queue_long?limit=1",
        "GET /alerts/silences?limit=1000",
    ]
    change = "2026-11-25T10:05:00+00:00\tpending\tfiring\t12.5\tlate data\n"
    assert done.stdout == (
        "field\tvalue\n"
        f"id\t{id_}\n"
        "rule\tqueue_long\n"
        "severity\tcritical\n"
        "state\tfiring\n"
        "active\t2026-11-25T10:00:00+00:00\n"
        "fired\t2026-11-25T10:05:00+00:00\n"
        "ack\tann, 2026-11-25T10:06:00+00:00 until 2026-11-25T12:00:00+00:00: restarting\n"
        "value\t12.5\n"
        "threshold\t> 10\n"
        'query\tquery_agg {"kind":"queue","window":"5m"}\n'
        "labels.alertname\tqueue_long\n"
        "labels.region\teu\n"
        "labels.severity\tcritical\n"
        "labels.source\tweb\n"
        "annotations.runbook\tdocs/queue.md\n"
        "annotations.summary\tThe queue is long.\n"
        "silence\tupdate until 2026-11-25T11:00:00+00:00: source=web,"
        " update of the database (bob)\n"
        "inhibited_by\t0123456789abcdef, fedcba9876543210\n"
        "maintenance\tmove\n"
        "\n"
        "at\tfrom\tto\tvalue\tcause\n" + 10 * change
    )
    assert done.stderr == "`supervisor-mcp alerts history --id ID` lists older ones.\n"
    assert "│" not in drawn


def test_an_alert_that_has_ended_is_shown_as_its_last_change_left_it() -> None:
    ended = {**CHANGE, "to_state": "resolved", "value": None, "labels": {}, "annotations": {}}
    with scripted.service(shown_alert([], [ended] * 9, {})) as service:
        done = service.run("alerts", "show", "27d060938cd0344d")
    assert done.stdout.startswith(
        "field\tvalue\n"
        "id\t27d060938cd0344d\n"
        "rule\tqueue_long\n"
        "severity\tcritical\n"
        "state\tresolved\n"
        "\n"
    )
    assert done.stderr == ""


def test_an_acknowledgement_may_have_neither_end_nor_note() -> None:
    ack = {"author": "ann", "at": "2026-11-25T10:06:00+00:00", "until": None, "note": None}
    with scripted.service(shown_alert([{**ALERT, "ack": ack}], [], {})) as service:
        done = service.run("alerts", "show", "27d060938cd0344d")
    assert "ack\tann, 2026-11-25T10:06:00+00:00\n" in done.stdout


@pytest.mark.parametrize(
    ("until", "said"),
    [
        ("2026-11-25T12:00:00+00:00", "until 2026-11-25T12:00:00+00:00"),
        (None, "until it is resolved"),
    ],
)
def test_an_acknowledgement_is_sent_as_it_is_given_and_its_answer_printed(
    until: str | None, said: str
) -> None:
    ack = {"author": "ann", "at": "2026-11-25T10:06:00+00:00", "until": until, "note": None}
    answer = {"id": ALERT["id"], "rule": "queue_long", "state": "firing", "ack": ack}
    with scripted.service({"POST /alerts/active/27d060938cd0344d/ack": answer}) as service:
        done = service.run("alerts", "ack", "27d060938cd0344d", "--author", "ann")
        as_json = service.run(
            *("alerts", "ack", "27d060938cd0344d", "--author", "ann", "--note", "restarting"),
            *("--until", "2026-11-26", "--json"),
        )
    assert service.sent == [
        {"author": "ann"},
        {"author": "ann", "until": "2026-11-26", "note": "restarting"},
    ]
    assert done.stdout == f"queue_long is acknowledged by ann {said}\n"
    assert json.loads(as_json.stdout) == answer


@pytest.mark.parametrize(
    ("limit", "status"), [("0", 2), ("1", 0), ("1000", 0), ("1001", 2), ("many", 2)]
)
def test_a_limit_has_bounds(limit: str, status: int) -> None:
    with scripted.service({"GET /alerts/active": page(hint=None)}) as service:
        done = service.run("alerts", "--label", "region=eu", "--limit", limit)
    assert done.returncode == status
    assert service.asked == (
        [f"GET /alerts/active?label.region=eu&limit={limit}"] if status == 0 else []
    )


@pytest.mark.parametrize("label", ["region", "=eu"])
def test_a_label_without_a_name_or_a_value_is_refused(label: str) -> None:
    with scripted.service({}) as service:
        done = service.run("alerts", "--label", label)
    assert (done.returncode, done.stderr) == (2, f'--label "{label}" is not KEY=VALUE.\n')


@pytest.mark.parametrize(
    ("words", "asked", "items", "expected"),
    [
        (
            "alerts --rule que",
            "alerts/rules?q=que",
            [{"name": "queue"}, {"name": "a_queue"}],
            "queue",
        ),
        ("alerts --rule ", "alerts/rules", [{"name": "queue"}], "queue"),
        (
            "server acme",
            "registry/servers?q=acme",
            [{"name": "acme/search"}, {"name": "io/acme"}],
            "acme/search",
        ),
        ("subscriptions remove o", "subscriptions", [{"name": "ops"}, {"name": "dev"}], "ops"),
        ("keys revoke ab", "access/keys?active=true", [{"id": "abcd"}, {"id": "cdef"}], "abcd"),
        ("kpis delete er", "kpis", [{"name": "errors"}, {"name": "calls"}], "errors"),
        ("maintenance cancel m", "health/maintenance", [{"id": "move"}, {"id": "a"}], "move"),
        ("agg cp", "query/kinds?prefix=cp", [{"kind": "cpu"}], "cpu"),
    ],
)
def test_the_shell_completes_names(
    words: str, asked: str, items: list[dict[str, str]], expected: str
) -> None:
    with scripted.service({f"GET /{asked}": scripted.Unchecked({"items": items})}) as service:
        done = service.run(
            _SUPERVISOR_MCP_COMPLETE="complete_bash",
            COMP_WORDS=f"supervisor-mcp {words}",
            COMP_CWORD=str(words.count(" ") + 1),
        )
    assert service.asked == [f"GET /{asked}"]
    assert done.stdout.split() == [expected]


def test_the_shell_completes_nothing_where_no_service_answers() -> None:
    done = command_line.run(
        env={
            "SUPERVISOR_URL": "http://127.0.0.1:1",
            "_SUPERVISOR_MCP_COMPLETE": "complete_bash",
            "COMP_WORDS": "supervisor-mcp agg cp",
            "COMP_CWORD": "2",
        }
    )
    assert (done.stdout.strip(), done.stderr) == ("", "")
