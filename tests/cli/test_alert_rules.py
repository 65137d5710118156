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
from supervisor_mcp.cli.documents import refusal_lines, say_all
from tests.support import command_line, scripted
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


RULE = {
    "name": "queue_long",
    "state": "firing",
    "firing": 2,
    "pending": 1,
    "severity": "warning",
    "type": "metric",
    "version": 3,
    "author": "ann",
    "defined_at": "2026-11-20T10:00:00+00:00",
    "evaluated_at": "2026-11-25T10:00:00+00:00",
    "error": None,
}
BROKEN = {**RULE, "name": "broken", "state": "inactive", "error": "division by zero"}
SHOWN = {
    **BROKEN,
    "error_since": "2026-11-25T09:00:00+00:00",
    "deleted_at": "2026-11-25T11:00:00+00:00",
    "deleted_by": "bob",
    "document": {
        "for": "5m",
        "labels": {},
        "condition": {"kind": "queue", "where": {"has": ["a"]}},
    },
    "versions": [
        {
            "version": 3,
            "author": "ann",
            "from": "2026-11-20T10:00:00+00:00",
            "to": None,
            "changes": [
                {"field": "condition.threshold", "before": 90, "after": 95.5},
                {"field": "labels.team", "before": None, "after": "x"},
            ],
        },
        {
            "version": 2,
            "author": "bob",
            "from": "2026-11-19T10:00:00+00:00",
            "to": "2026-11-20T10:00:00+00:00",
            "changes": [],
        },
    ],
    "next_cursor": "more",
}


def test_everything_of_a_list_is_printed() -> None:
    page = {"items": [RULE, BROKEN], "next_cursor": "more"}
    with scripted.service({"GET /alerts/rules": page}) as service:
        done = service.run("alert-rules")
        service.run("alert-rules", "-q", "queue", "--deleted", "--limit", "5")
        drawn = service.draw("alert-rules", "list")
    assert service.asked[:2] == [
        "GET /alerts/rules?limit=100",
        "GET /alerts/rules?q=queue&deleted=true&limit=5",
    ]
    cells = "2\t1\twarning\tmetric\t3\tann\t2026-11-25T10:00:00+00:00\n"
    assert done.stdout == (
        "name\tstate\tfiring\tpending\tseverity\ttype\tversion\tauthor\tevaluated\n"
        f"queue_long\tfiring\t{cells}broken\tinactive\t{cells}"
    )
    assert done.stderr == (
        "broken: division by zero\nThere are more. Raise --limit, or narrow the list with -q.\n"
    )
    assert "│" not in drawn


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            (),
            "There are no rules yet. Define those that come with the service with"
            " `supervisor-mcp alert-rules define --built-in`.\n",
        ),
        (
            ("-q", "a"),
            "No rules match. `supervisor-mcp alert-rules list` lists them without filters.\n",
        ),
        (
            ("--deleted",),
            "No rules match. `supervisor-mcp alert-rules list` lists them without filters.\n",
        ),
    ],
)
def test_an_empty_list_says_so_and_nothing_else(options: tuple[str, ...], said: str) -> None:
    with scripted.service({"GET /alerts/rules": {"items": [], "next_cursor": None}}) as service:
        assert service.run("alert-rules", *options).stderr == said


def test_everything_of_a_rule_is_printed() -> None:
    with scripted.service({"GET /alerts/rules/broken": SHOWN}) as service:
        done = service.run("alert-rules", "show", "broken")
        drawn = service.draw("alert-rules", "show", "broken")
    assert service.asked[0] == "GET /alerts/rules/broken?limit=10"
    assert done.stdout == (
        "field\tvalue\n"
        "name\tbroken\n"
        "state\tinactive (2 firing, 1 pending)\n"
        "version\t3\n"
        "author\tann\n"
        "deleted_by\tbob\n"
        "error\tdivision by zero\n"
        "evaluated\t2026-11-25T10:00:00+00:00\n"
        "for\t5m\n"
        "condition.kind\tqueue\n"
        'condition.where.has\t["a"]\n'
        "\n"
        "version\tauthor\tfrom\tto\tchanges\n"
        "3\tann\t2026-11-20T10:00:00+00:00\t"
        "\tcondition.threshold: 90 → 95.5; labels.team: - → x\n"
        "2\tbob\t2026-11-19T10:00:00+00:00\t2026-11-20T10:00:00+00:00\t\n"
    )
    assert done.stderr == "Only the last 10 versions are shown.\n"
    assert "│" not in drawn


@pytest.mark.parametrize(
    ("firing", "pending", "state"),
    [
        (0, 0, "firing"),
        (1, 0, "firing (1 firing, 0 pending)"),
        (0, 1, "firing (0 firing, 1 pending)"),
    ],
)
def test_alerts_of_a_rule_are_counted_where_it_has_some(
    firing: int, pending: int, state: str
) -> None:
    shown = {**SHOWN, "state": "firing", "firing": firing, "pending": pending, "next_cursor": None}
    with scripted.service({"GET /alerts/rules/broken": shown}) as service:
        done = service.run("alert-rules", "show", "broken")
    assert f"state\t{state}\n" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize(("ended", "said"), [(0, ""), (2, ", and 2 alerts ended")])
def test_a_deletion_says_how_many_alerts_it_ended(ended: int, said: str) -> None:
    deleted = {
        "name": "broken",
        "deleted_at": "2026-11-25T10:00:00+00:00",
        "deleted_by": "ann",
        "ended": ended,
    }
    with scripted.service({"DELETE /alerts/rules/broken": deleted}) as service:
        done = service.run("alert-rules", "delete", "broken", "--author", "ann")
        as_json = service.run("alert-rules", "delete", "broken", "--author", "ann", "--json")
    assert service.asked[0] == "DELETE /alerts/rules/broken?author=ann"
    assert done.stdout == f"broken is deleted{said}\n"
    assert json.loads(as_json.stdout) == deleted


def problem(status: int, *slugs: str) -> tuple[int, object]:
    """A refusal of a document, with a fault for each slug."""
    faults = [{"slug": slug, "field": f"f{n}", "detail": "No."} for n, slug in enumerate(slugs)]
    params = {"params": {"faults": faults}} if slugs else {}
    return status, {
        "type": "urn:supervisor-mcp:problem:rule_valid",
        "title": "Invalid rule",
        "status": status,
        "detail": "invalid rule",
        "hint": "Correct it.",
        **params,
    }


def defined(name: str, outcome: str) -> dict[str, object]:
    at = "2026-11-25T10:00:00+00:00"
    return {
        **{"name": name, "outcome": outcome, "version": 1, "author": "ann"},
        **{"defined_at": at, "changes": []},
    }


def test_what_becomes_of_each_rule_is_counted_and_refusals_have_a_hint_or_their_faults(
    tmp_path: Path,
) -> None:
    answers = {
        "PUT /alerts/rules/a": defined("a", "created"),
        "PUT /alerts/rules/b": defined("b", "changed"),
        "PUT /alerts/rules/c": defined("c", "unchanged"),
        "PUT /alerts/rules/d": problem(409, "kind_known", "other"),
        "PUT /alerts/rules/e": problem(413),
    }
    file = tmp_path / "rules.json"
    file.write_text(json.dumps([{"name": name} for name in "abcde"] + [{"name": ""}, {"name": 5}]))
    with scripted.service(answers) as service:
        done = service.run("alert-rules", "define", str(file), "--author", "ann")
        as_json = service.run("alert-rules", "define", str(file), "--author", "ann", "--json")
    assert service.sent[0] == {"author": "ann", "name": "a"}
    assert done.returncode == as_json.returncode == 1
    assert done.stdout == "1 created, 1 changed, 1 unchanged, 0 skipped, 4 refused\n"
    assert done.stderr == (
        "entry 4 (d): invalid rule\n  f0: No.\n  f1: No.\n"
        "entry 5 (e): invalid rule\n  Hint: Correct it.\n"
        "entry 6: It has no name.\n"
        "entry 7: It has no name.\n"
        "4 of 7 rules are not defined.\n"
        "Hint: Correct them and run the command again: what is defined does not change.\n"
    )
    summary = json.loads(as_json.stdout)
    assert summary["refused"][0] == {
        "place": "entry 4",
        "name": "d",
        "detail": "invalid rule",
        "hint": "Correct it.",
        "faults": [
            {"slug": "kind_known", "field": "f0", "detail": "No."},
            {"slug": "other", "field": "f1", "detail": "No."},
        ],
    }
    assert (summary["created"], summary["skipped"], len(summary["refused"])) == (1, [], 4)


@pytest.mark.parametrize(
    ("slugs", "counts", "status"),
    [
        (
            ("kind_known", "kind_known"),
            "0 created, 0 changed, 0 unchanged, {0} skipped, 0 refused",
            0,
        ),
        (("kind_known", "other"), "0 created, 0 changed, 0 unchanged, 0 skipped, {0} refused", 1),
    ],
)
def test_built_in_rules_are_skipped_where_only_their_kinds_are_unknown(
    slugs: tuple[str, ...], counts: str, status: int
) -> None:
    names = [str(rule["name"]) for rule in built_in_rules.read()]
    answers = {f"PUT /alerts/rules/{name}": problem(422, *slugs) for name in names}
    with scripted.service(answers) as service:
        done = service.run("alert-rules", "define", "--built-in", "--author", "ann")
        as_json = service.run("alert-rules", "define", "--built-in", "--author", "ann", "--json")
    assert done.stdout == counts.format(len(names)) + "\n"
    assert done.returncode == status
    skipped = [f"{name} is skipped: there is no data for it yet." for name in names]
    assert (done.stderr.splitlines() == skipped) is (status == 0)
    assert json.loads(as_json.stdout)["skipped"] == (names if status == 0 else [])


def test_an_error_of_every_request_ends_the_command(tmp_path: Path) -> None:
    file = tmp_path / "rules.json"
    file.write_text(json.dumps([{"name": "a"}, {"name": "b"}]))
    with scripted.service({"PUT /alerts/rules/a": problem(503)}) as service:
        done = service.run("alert-rules", "define", str(file), "--author", "ann")
    assert (done.returncode, done.stderr) == (4, "invalid rule\nHint: Correct it.\n")
    assert service.asked == ["PUT /alerts/rules/a"]


@pytest.mark.parametrize("arguments", [(), ("rules.json", "--built-in")])
def test_rules_come_from_either_a_file_or_the_service(
    service: Service, arguments: tuple[str, ...]
) -> None:
    done = service.run("alert-rules", "define", *arguments)
    assert (done.returncode, done.stderr) == (2, "Give either FILE or --built-in.\n")


def test_a_refusal_without_a_hint_is_one_line() -> None:
    assert refusal_lines({"place": "entry 1", "detail": "No.", "hint": None}) == "entry 1: No."


def test_only_the_first_of_many_refusals_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    say_all([f"line {number}" for number in range(20)], "rules")
    assert len(capsys.readouterr().err.splitlines()) == 20
    say_all([f"line {number}" for number in range(22)], "rules")
    assert capsys.readouterr().err.splitlines()[19:] == [
        "line 19",
        "There are 2 more rules; --json lists all of them.",
    ]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (
            {"threshold": 95.123456, "alerts": 1},
            "> 95.1235 gives 1 alert from 2026-10-26T00:00:00+00:00 to 2026-11-25T00:00:00+00:00,"
            " 2.12 a month, and holds in 12.3 % of the evaluations. Data cover 99.1 % of this"
            " time.\n",
        ),
        ({"threshold": None, "alerts": 0}, ""),
    ],
)
def test_everything_of_a_suggestion_is_printed(
    tmp_path: Path, found: dict[str, object], said: str
) -> None:
    suggestion = {
        "from": "2026-10-26T00:00:00+00:00",
        "to": "2026-11-25T00:00:00+00:00",
        "step_seconds": 60,
        "operator": ">",
        "per_month": 2.1234,
        "holds_percent": 12.3456,
        "coverage_percent": 99.1234,
        "evaluations": 43_200,
        **found,
    }
    condition = {"kind": "queue"}
    answers = {
        "POST /alerts/rules/threshold": suggestion,
        "GET /alerts/rules/broken": {**SHOWN, "document": {"condition": condition}},
    }
    file = tmp_path / "condition.json"
    file.write_text(json.dumps(condition))
    with scripted.service(answers) as service:
        done = service.run("alert-rules", "suggest", str(file))
        of_rule = service.run("alert-rules", "suggest", "broken", "--per-month", "0")
        as_json = service.run("alert-rules", "suggest", str(file), "--json")
    assert service.asked[1] == "GET /alerts/rules/broken?limit=1"
    assert service.sent[:2] == [
        {"per_month": 2, "condition": condition},
        {"per_month": 0, "condition": condition},
    ]
    assert done.stdout == of_rule.stdout == said
    assert done.stderr == (
        "" if said else "There is no data in this time. Send an earlier --from.\n"
    )
    assert json.loads(as_json.stdout) == suggestion
