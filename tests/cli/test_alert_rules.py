"""supervisor-mcp alert-rules: list, show, define and delete."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from supervisor_mcp.cli import built_in_rules
from tests.support import command_line
from tests.support.command_line import Service

STYLE = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def kind(service: Service, name: str) -> str:
    """A metric that a rule can be about."""
    send(service, name)
    return name


def send(service: Service, name: str) -> None:
    item = {"name": name, "source": "web", "value": 1}
    httpx.post(f"{service.url}/ingest/metrics", json=item).raise_for_status()


def rule(kind: str, threshold: float = 90, name: str | None = None) -> dict[str, Any]:
    """A rule of the name of its kind."""
    condition = {
        "type": "metric",
        "kind": kind,
        "statistic": "avg",
        "window": "5m",
        "operator": ">",
        "threshold": threshold,
    }
    return {"name": name or kind, "condition": condition}


def define(
    service: Service, folder: Path, rules: object, *options: str
) -> subprocess.CompletedProcess[str]:
    """The command on a file with these rules."""
    file = folder / "rules.json"
    file.write_text(rules if isinstance(rules, str) else json.dumps(rules))
    return service.run("alert-rules", "define", str(file), *options)


def test_the_group_alone_lists_the_rules(service: Service, kind: str, tmp_path: Path) -> None:
    define(service, tmp_path, rule(kind))

    alone, listed = service.run("alert-rules"), service.run("alert-rules", "list")

    assert alone.returncode == listed.returncode == 0
    assert kind in alone.stdout
    assert kind in listed.stdout


def test_a_file_of_rules_is_defined_and_again_changes_nothing(
    service: Service, kind: str, tmp_path: Path
) -> None:
    rules = [rule(kind, name=f"{kind}_{number}") for number in range(3)]
    first = define(service, tmp_path, rules, "--author", "ann")
    assert (first.returncode, first.stdout) == (
        0,
        "3 created, 0 changed, 0 unchanged, 0 skipped, 0 refused\n",
    )
    lines = "\n".join(json.dumps(each) for each in rules)
    again = define(service, tmp_path, lines, "--author", "bob")
    assert again.stdout == "0 created, 0 changed, 3 unchanged, 0 skipped, 0 refused\n"


def test_a_rule_keeps_its_own_author(service: Service, kind: str, tmp_path: Path) -> None:
    define(service, tmp_path, {**rule(kind), "author": "carl"}, "--author", "ann")
    shown = service.run("alert-rules", "show", kind, "--json").stdout
    assert json.loads(shown)["author"] == "carl"


def test_rules_are_read_from_standard_input(service: Service, kind: str) -> None:
    given = json.dumps(rule(kind))
    done = subprocess.run(
        [*command_line.COMMAND, "alert-rules", "define", "-", "--author", "ann"],
        input=given,
        env={**command_line.environment(), "SUPERVISOR_URL": service.url},
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    assert done.stdout.startswith("1 created")


def test_refused_rules_are_listed_with_their_faults_and_the_others_are_defined(
    service: Service, kind: str, tmp_path: Path
) -> None:
    bad = rule(kind, name=f"{kind}_bad")
    bad["condition"]["window"] = "1s"
    done = define(service, tmp_path, [bad, {"condition": {}}, 5, rule(kind)], "--author", "ann")
    assert done.returncode == 1
    assert done.stdout == "1 created, 0 changed, 0 unchanged, 0 skipped, 3 refused\n"
    assert f"entry 1 ({kind}_bad): invalid fields: condition.window" in done.stderr
    assert "condition.window: The duration is 1s. Send 1m to 30d." in done.stderr
    assert "entry 2: It has no name." in done.stderr
    assert "entry 3: It is not a JSON object." in done.stderr
    assert "3 of 4 rules are not defined." in done.stderr


def test_rules_are_listed(service: Service, kind: str, tmp_path: Path) -> None:
    define(service, tmp_path, rule(kind), "--author", "ann")
    rows = service.run("alert-rules", "-q", kind).stdout.splitlines()
    assert rows[0].startswith("name\tstate\tfiring")
    assert rows[1].startswith(f"{kind}\tinactive\t0\t0\twarning\tmetric\t1\tann")
    answer = json.loads(service.run("alert-rules", "list", "-q", kind, "--json").stdout)
    assert [item["name"] for item in answer["items"]] == [kind]


def test_a_rule_is_shown_with_the_differences_of_its_versions(
    service: Service, kind: str, tmp_path: Path
) -> None:
    define(service, tmp_path, rule(kind), "--author", "ann")
    define(service, tmp_path, {**rule(kind, 95), "labels": {"team": "x"}}, "--author", "bob")
    rows = service.run("alert-rules", "show", kind).stdout.splitlines()
    assert "condition.threshold\t95" in rows
    assert any(
        row.startswith("2\tbob\t")
        and row.endswith("condition.threshold: 90 → 95; labels.team: - → x")
        for row in rows
    ), rows


def test_a_terminal_has_tables(service: Service, kind: str, tmp_path: Path) -> None:
    define(service, tmp_path, rule(kind), "--author", "ann")
    drawn = service.run("alert-rules", "show", kind, TTY_COMPATIBLE="1", COLUMNS="120").stdout
    lines = [STYLE.sub("", line).rstrip() for line in drawn.splitlines()]
    assert {kind, "Versions"} <= set(lines)


def test_a_deleted_rule_is_listed_with_the_deleted_ones(
    service: Service, kind: str, tmp_path: Path
) -> None:
    define(service, tmp_path, rule(kind), "--author", "ann")
    done = service.run("alert-rules", "delete", kind, "--author", "bob")
    assert (done.returncode, done.stdout) == (0, f"{kind} is deleted\n")
    assert kind not in service.run("alert-rules", "list").stdout
    assert kind in service.run("alert-rules", "list", "--deleted").stdout
    assert "deleted_by\tbob" in service.run("alert-rules", "show", kind).stdout


def test_an_unknown_rule_is_answered_with_the_nearest_and_the_command_that_lists_all(
    service: Service, kind: str, tmp_path: Path
) -> None:
    define(service, tmp_path, rule(kind), "--author", "ann")
    for command in ("show", "delete"):
        done = service.run("alert-rules", command, f"{kind}x")
        assert done.returncode == 4
        assert f'Did you mean "{kind}"?' in done.stderr
        assert "alert-rules list` lists all rules." in done.stderr


@pytest.mark.parametrize("given", [[], ["-", "--built-in"]])
def test_either_a_file_or_the_built_in_rules_are_defined(
    service: Service, given: list[str]
) -> None:
    done = service.run("alert-rules", "define", *given)
    assert done.returncode == 2
    assert "Give either FILE or --built-in." in done.stderr


def test_the_built_in_rules_are_defined_as_soon_as_there_is_data(service: Service) -> None:
    before = service.run("alert-rules", "define", "--built-in", "--author", "ann", "--json")
    assert before.returncode == 0, before.stderr
    summary = json.loads(before.stdout)
    assert summary["created"] == 3
    assert summary["skipped"] == ["error_rate_high", "latency_p95_high", "metrics_absent"]
    send(service, "mcp.server.operation.duration")
    after = service.run("alert-rules", "define", "--built-in", "--author", "ann")
    assert after.stdout == "3 created, 0 changed, 3 unchanged, 0 skipped, 0 refused\n"
    names = {rule["name"] for rule in built_in_rules.read()}
    listed = json.loads(service.run("alert-rules", "list", "--json").stdout)["items"]
    assert names <= {item["name"] for item in listed}
