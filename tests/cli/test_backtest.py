"""supervisor-mcp backtest and alert-rules suggest: alert rules on the past."""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from tests.support.command_line import Service

STYLE = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def history(service: Service, name: str) -> str:
    """A metric of two hours that is high in ten minutes of each."""
    now = time.time()
    items = [
        {"name": name, "source": "web", "value": 9 if n % 60 < 10 else 1, "ts": now - 60 * n}
        for n in range(1, 120)
    ]
    httpx.post(f"{service.url}/ingest/metrics", json=items).raise_for_status()
    return name


@pytest.fixture
def rule(history: str, tmp_path: Path) -> Path:
    """A file with a rule about it."""
    condition = {
        "type": "metric",
        "kind": history,
        "statistic": "max",
        "window": "2m",
        "operator": ">",
        "threshold": 5,
    }
    file = tmp_path / "rule.json"
    file.write_text(json.dumps({"name": history, "condition": condition}))
    return file


def rule_name(file: Path) -> str:
    name: str = json.loads(file.read_text())["name"]
    return name


def ago(hours: float) -> str:
    return (datetime.now(UTC) - timedelta(hours=hours)).isoformat()


def test_a_back_test_shows_when_a_rule_would_have_fired(service: Service, rule: Path) -> None:
    result = service.run("backtest", str(rule), "--step", "1m", "--from", ago(3))

    assert result.returncode == 0, result.stderr
    assert "█ firing, ▒ pending" in result.stdout
    assert "2 alerts, " in result.stdout


def test_transitions_are_listed_under_bars_of_the_alerts(service: Service, rule: Path) -> None:
    result = service.run("backtest", str(rule), "--step", "1m", "--from", ago(3))

    labels = f"alertname={rule_name(rule)}, severity=warning"
    lines = result.stdout.splitlines()
    assert lines[9] == labels
    assert re.fullmatch("[█·]{60}", lines[10])
    assert lines[11:13] == ["█ firing, ▒ pending", "at\tstate\tlabels\tvalue"]
    cells = [line.split("\t") for line in lines[13:-1]]
    assert [row[1:] for row in cells[:2]] == [["firing", labels, "9"], ["resolved", labels, "1"]]
    assert re.fullmatch(r"2 alerts, [\d.]+ min firing, from \S+ to \S+, every 1 min\.", lines[-1])
    assert result.stderr == ""


def test_a_terminal_is_filled_and_has_tables_without_frames(
    service: Service, rule: Path, tmp_path: Path
) -> None:
    incidents = tmp_path / "incidents.json"
    incidents.write_text(json.dumps([{"from": ago(2.9), "to": ago(2.8)}]))

    drawn = service.run(
        *("backtest", str(rule), "--step", "1m", "--from", ago(3), "--incidents", str(incidents)),
        **{"TTY_COMPATIBLE": "1", "NO_COLOR": "1", "COLUMNS": "100"},
    ).stdout

    lines = [STYLE.sub("", line).rstrip() for line in drawn.splitlines()]
    assert {len(line) for line in lines[1:9]} <= {100}
    assert len(lines[10]) == 100
    assert " ".join(lines[lines.index("Transitions") + 1].split()) == "at state labels value"
    assert [" ".join(line.split()) for line in lines[lines.index("Incidents") + 1 :]] == [
        "count detected recall precision false_alarms median_lead",
        "1 0 0 0 2 -",
    ]
    assert not set("│┃") & set(drawn)


def test_a_terminal_may_be_wider_than_there_are_points(service: Service, rule: Path) -> None:
    terminal = {"TTY_COMPATIBLE": "1", "NO_COLOR": "1", "COLUMNS": "1200"}
    result = service.run("backtest", str(rule), "--step", "1m", "--from", ago(3), **terminal)

    assert result.returncode == 0, result.stderr
    assert {len(line) for line in result.stdout.splitlines()[1:9]} == {1200}


def test_the_first_20_transitions_are_listed(service: Service, rule: Path) -> None:
    document = json.loads(rule.read_text())
    document["condition"]["kind"] = kind = f"{rule_name(rule)}_restless"
    rule.write_text(json.dumps(document))
    now = time.time()
    items = [
        {"name": kind, "source": "web", "value": 9 if n % 6 < 2 else 1, "ts": now - 60 * n}
        for n in range(1, 120)
    ]
    httpx.post(f"{service.url}/ingest/metrics", json=items).raise_for_status()

    result = service.run("backtest", str(rule), "--step", "1m", "--from", ago(3))

    lines = result.stdout.splitlines()
    assert len(lines[lines.index("at\tstate\tlabels\tvalue") + 1 : -1]) == 20
    assert result.stderr == "There are more transitions. --json lists them.\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('[{"name": "a"}, {"name": "b"}]', "rules.json has 2 rules."),
        ("[]", "rules.json has 0 rules."),
        ("[5]", "entry 1: It is not a JSON object."),
    ],
)
def test_a_file_has_one_rule(service: Service, tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "rules.json"
    file.write_text(content)

    result = service.run("backtest", str(file))

    assert result.returncode == 2
    assert said in result.stderr


def test_a_rule_is_read_from_standard_input(service: Service) -> None:
    result = service.run("backtest", "-")

    assert (result.returncode, result.stderr) == (2, "<stdin> is empty.\n")


def test_the_series_is_drawn_above_with_its_threshold(service: Service, rule: Path) -> None:
    result = service.run("backtest", str(rule), "--step", "1m", "--from", ago(3))

    title, *plot = result.stdout.splitlines()[:9]
    assert title == f"alertname={rule_name(rule)}, severity=warning: 1 to 9, threshold > 5 (─)"
    assert {len(line) for line in plot} == {60}
    assert [any("█" in line for line in plot), any("─" in line for line in plot)] == [True, True]
    assert plot[-1].startswith(" ")
    answer = json.loads(service.run("backtest", str(rule), "--from", ago(3), "--json").stdout)
    assert answer["series"] is None


def test_the_series_of_a_rule_that_never_fires_is_drawn(service: Service, rule: Path) -> None:
    document = json.loads(rule.read_text())
    document["condition"]["threshold"] = 50
    rule.write_text(json.dumps(document))

    result = service.run("backtest", str(rule), "--step", "1m", "--from", ago(3))

    assert "1 to 9, threshold > 50 (─)" in result.stdout
    assert result.stdout.splitlines()[1] == "─" * 60
    assert "0 alerts, " in result.stdout


def test_incidents_give_a_score(service: Service, rule: Path, tmp_path: Path) -> None:
    incidents = tmp_path / "incidents.json"
    incidents.write_text(json.dumps([{"from": ago(2.9), "to": ago(2.8)}]))

    result = service.run(
        "backtest",
        str(rule),
        "--step",
        "1m",
        "--from",
        ago(3),
        "--incidents",
        str(incidents),
        "--json",
    )

    score = json.loads(result.stdout)["incidents"]
    assert (score["count"], score["detected"], score["precision"]) == (1, 0, 0)


def test_a_threshold_is_suggested_for_the_condition_of_a_rule(service: Service, rule: Path) -> None:
    result = service.run(
        "alert-rules", "suggest", str(rule), "--per-month", "1000", "--step", "1m", "--from", ago(3)
    )

    assert result.stdout.startswith("> 1 gives 2 alerts from ")


def test_a_threshold_is_suggested_for_a_rule_that_is_defined(service: Service, rule: Path) -> None:
    assert service.run("alert-rules", "define", str(rule), "--author", "ann").returncode == 0
    options = ("--per-month", "1000", "--step", "1m", "--from", ago(3))

    result = service.run("alert-rules", "suggest", rule_name(rule), *options)

    assert result.stdout.startswith("> 1 gives 2 alerts from "), result.stderr
    unknown = service.run("alert-rules", "suggest", f"{rule_name(rule)}x", *options)
    assert unknown.returncode == 4
    assert f'Did you mean "{rule_name(rule)}"?' in unknown.stderr


def test_an_unknown_rule_is_refused_with_a_hint(service: Service) -> None:
    result = service.run("backtest", "no_such_rule")

    assert result.returncode == 4
    assert 'unknown alert rule "no_such_rule"' in result.stderr
    assert "alert-rules list" in result.stderr
