"""supervisor-mcp subscriptions: list, show, add and remove."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.command_line import Service

URL = "https://policy.example/hook"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def add(service: Service, name: str, *options: str) -> dict[str, object]:
    """The answer to a subscription."""
    done = service.run("subscriptions", "add", name, URL, "--author", "ann", "--json", *options)
    assert done.returncode == 0, done.stderr
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def test_a_subscription_is_added_with_a_secret_that_is_shown_once(
    service: Service, name: str
) -> None:
    command = ("subscriptions", "add", name, URL, "--kind", "Fact:Sale", "--author", "ann")
    first = service.run(*command)
    assert first.returncode == 0, first.stderr
    said, secret = first.stdout.splitlines()
    assert said == f"{name} is created"
    assert secret.startswith("secret whsec_")
    assert "Keep the secret" in first.stderr
    assert service.run(*command).stdout == f"{name} is unchanged\n"


def test_options_say_which_alerts_and_facts_and_how(service: Service, name: str) -> None:
    alerts = (
        "--matcher",
        "severity=critical",
        "--matcher",
        "source=~web.*",
        "--group-by",
        "source",
    )
    times = ("--group-wait", "10s", "--group-interval", "1m", "--repeat-interval", "1h")
    answer = add(service, name, *alerts, *times, "--source", "crm", "--disabled")
    assert answer["alerts"] == {
        "matchers": [
            {"name": "severity", "operator": "=", "value": "critical"},
            {"name": "source", "operator": "=~", "value": "web.*"},
        ],
        "group_by": ["source"],
        "group_wait": "10s",
        "group_interval": "1m",
        "repeat_interval": "1h",
    }
    assert (answer["facts"], answer["enabled"]) == ({"sources": ["crm"]}, False)


def test_all_alerts_go_to_an_alertmanager(service: Service, name: str) -> None:
    answer = add(service, name, "--type", "alertmanager", "--alerts")
    assert (answer["type"], answer["facts"], answer["secret"]) == ("alertmanager", None, None)


def test_a_secret_is_read_from_a_file_and_not_printed(
    service: Service, name: str, tmp_path: Path
) -> None:
    file = tmp_path / "secret"
    file.write_text(SECRET + "\n")
    done = service.run("subscriptions", "add", name, URL, "--facts", "--secret-file", str(file))
    assert done.stdout == f"{name} is created\n"
    assert add(service, name, "--facts", "--secret-file", str(file))["secret"] is None


def test_subscriptions_are_listed(service: Service, name: str) -> None:
    # No alert and no fact of another test is for it.
    matcher = f"alertname={name}"
    add(service, name, "--matcher", matcher, "--kind", "Fact:Sale", "--source", name)
    rows = service.run("subscriptions").stdout.splitlines()
    assert rows[0] == "name\ttype\turl\talerts\tfacts\tstate\tpending\tfailed\tdelivered"
    rest = f"{matcher}\tFact:Sale from {name}\tenabled\t0\t0\t"
    assert f"{name}\twebhook\t{URL}\t{rest}" in rows
    answer = json.loads(service.run("subscriptions", "--json").stdout)
    assert name in [item["name"] for item in answer["items"]]


def test_a_subscription_is_shown(service: Service, name: str) -> None:
    # No alert of another test is for it.
    matcher = f"alertname={name}"
    add(service, name, "--matcher", matcher, "--group-by", "source")
    rows = service.run("subscriptions", "show", name).stdout.splitlines()
    assert {f"url\t{URL}", f"alerts\t{matcher}", "group_by\tsource"} <= set(rows)
    assert {"repeat_interval\t4h", "state\tenabled", "pending\t0"} <= set(rows)
    answer = json.loads(service.run("subscriptions", "show", name, "--json").stdout)
    assert (answer["name"], answer["facts"]) == (name, None)


def test_a_subscription_is_removed(service: Service, name: str) -> None:
    add(service, name, "--facts")
    done = service.run("subscriptions", "remove", name)
    assert (done.returncode, done.stdout) == (0, f"{name} is removed\n")
    assert service.run("subscriptions", "show", name).returncode == 4


def test_an_unknown_subscription_is_answered_with_the_nearest_and_the_command_that_lists_all(
    service: Service, name: str
) -> None:
    add(service, name, "--facts")
    for command in ("show", "remove"):
        done = service.run("subscriptions", command, f"{name}x")
        assert done.returncode == 4
        assert f'Did you mean "{name}"?' in done.stderr
        assert "subscriptions` lists all subscriptions." in done.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "Neither alerts nor facts are asked for."),
        (["--matcher", "severity"], '"severity" is not a matcher.'),
        (["--facts", "--secret-file", "/nowhere"], "/nowhere cannot be read"),
    ],
)
def test_wrong_arguments_are_refused_with_the_next_step(
    service: Service, name: str, options: list[str], said: str
) -> None:
    done = service.run("subscriptions", "add", name, URL, *options)
    assert done.returncode == 2
    assert said in done.stderr


def test_what_the_service_refuses_is_shown(service: Service, name: str) -> None:
    done = service.run("subscriptions", "add", name, "ftp://a.example", "--facts")
    assert done.returncode == 4
    assert "url" in done.stderr
