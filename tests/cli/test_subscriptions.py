"""supervisor-mcp subscriptions: list, show, add and remove."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import command_line, scripted
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


def test_a_secret_is_read_from_standard_input(service: Service, name: str) -> None:
    done = subprocess.run(
        [*command_line.COMMAND, "subscriptions", "add", name, URL, "--facts", "--secret-file", "-"],
        env={**command_line.environment(), "SUPERVISOR_URL": service.url},
        input=f" {SECRET}\n",
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{name} is created\n", "")


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


def test_a_list_says_what_each_is_about(service: Service, name: str) -> None:
    add(service, f"{name}a", "--alerts")
    add(service, f"{name}b", "--facts", "--disabled")
    add(service, f"{name}c", "--source", name, "--source", f"{name}s", "--disabled")
    add(service, f"{name}d", "--matcher", f"a={name}", "--kind", "Fact:A", "--kind", "Fact:B")
    done = service.run("subscriptions")
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert [[row[0][-1], *row[3:6]] for row in rows if row[0].startswith(name)] == [
        ["a", "all", "", "enabled"],
        ["b", "", "all", "disabled"],
        ["c", "", f"all from {name}, {name}s", "disabled"],
        ["d", f"a={name}", "Fact:A, Fact:B", "enabled"],
    ]
    assert done.stderr == ""
    cut = service.run("subscriptions", "--limit", "1")
    assert cut.stderr == "There are more. Raise --limit.\n"


def test_a_terminal_has_tables_without_frames(service: Service, name: str) -> None:
    add(service, name, "--facts", "--disabled")
    terminal = {"TTY_COMPATIBLE": "1", "NO_COLOR": "1", "COLUMNS": "200"}
    for arguments, title in (((), "Subscriptions"), (("show", name), name)):
        drawn = service.run("subscriptions", *arguments, **terminal).stdout
        assert drawn.splitlines()[0] == f"\x1b[1m{title}\x1b[0m"
        assert not set("│┃─━") & set(drawn)


def test_a_list_says_why_deliveries_fail(service: Service, name: str) -> None:
    added = add(service, name, "--facts", "--disabled")
    listed = json.loads(service.run("subscriptions", "--json").stdout)
    items = [item for item in listed["items"] if item["name"] == added["name"]]
    failing = {**listed, "items": [{**items[0], "error": "HTTP status 500"}]}
    with scripted.service({"GET /subscriptions": failing}) as answering:
        assert answering.run("subscriptions").stderr == f"{name}: HTTP status 500\n"


def test_a_subscription_is_shown_without_what_it_does_not_have(service: Service, name: str) -> None:
    created = add(service, name, "--matcher", f"a={name}", "--disabled")
    answer = json.loads(service.run("subscriptions", "show", name, "--json").stdout)
    assert created["outcome"] == "created"
    assert service.run("subscriptions", "show", name).stdout.splitlines() == [
        "field\tvalue",
        f"name\t{name}",
        "type\twebhook",
        f"url\t{URL}",
        "author\tann",
        "state\tdisabled",
        f"alerts\ta={name}",
        "group_by\talertname",
        "group_wait\t30s",
        "group_interval\t5m",
        "repeat_interval\t4h",
        f"created\t{answer['created_at']}",
        f"updated\t{answer['updated_at']}",
        "pending\t0",
        "failed\t0",
    ]


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
        (
            ["--facts", "--secret-file", "/nowhere"],
            "/nowhere cannot be read: No such file or directory.",
        ),
        (["--facts", "--secret-file", sys.executable], "cannot be read: 'utf-8' codec can't"),
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
