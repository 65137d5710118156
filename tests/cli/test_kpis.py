"""supervisor-mcp kpis and changes."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.command_line import Service

STYLE = re.compile(r"\x1b\[[0-9;]*m")
TIMED = r"{}, 7d up to \d{{4}}-\d\d-\d\d \d\d:\d\d UTC"


@pytest.fixture
def kind(service: Service, name: str) -> str:
    """A metric with calls of today, of which a fourth failed."""
    items = [
        {
            "name": name,
            "source": source,
            "value": 1,
            "labels": {"code": code},
            "ts": time.time() - 60 * number,
        }
        for number, source, code in [
            *((1, "web", "500"), (2, "web", "200"), (3, "app", "200"), (4, "app", "200")),
        ]
    ]
    httpx.post(f"{service.url}/ingest/metrics", json=items).raise_for_status()
    return name


def share(kind: str, **more: Any) -> dict[str, Any]:
    """The share of calls that failed, named as their kind."""
    calls = {"kind": kind, "statistic": "count"}
    errors = {**calls, "where": {"labels": {"code": "500"}}}
    return {"name": kind, "numerator": errors, "denominator": calls, "unit": "%", **more}


def define(service: Service, folder: Path, documents: object) -> Any:
    """The command on a file with these documents."""
    file = folder / "kpis.json"
    file.write_text(json.dumps(documents))
    return service.run("kpis", "define", str(file), "--author", "ann")


def rows(text: str) -> list[list[str]]:
    """Lines of tab-separated values."""
    return [line.split("\t") for line in text.splitlines()]


def drawn(service: Service, *arguments: str) -> list[str]:
    """The lines of a command on a wide terminal."""
    done = service.run(*arguments, TTY_COMPATIBLE="1", NO_COLOR="1", COLUMNS="250")
    assert (done.returncode, done.stderr) == (0, "")
    return [STYLE.sub("", line).rstrip() for line in done.stdout.splitlines()]


def test_a_terminal_has_tables_without_frames(service: Service, kind: str, tmp_path: Path) -> None:
    define(service, tmp_path, share(kind, target=10))

    title, heading, *_ = drawn(service, "kpis")
    assert re.fullmatch(TIMED.format("KPIs"), title)
    assert " ".join(heading.split()) == ("name value unit previous change target status moved by")
    one = drawn(service, "kpis", "query", kind)
    defined = drawn(service, "kpis", "list", kind)
    for shown, title, columns in (
        (one, "Sources", "source value previous contribution numerator denominator"),
        (one, "Days", "day value numerator denominator"),
        (defined, "KPIs", "name version author numerator denominator unit target"),
        (defined, "Versions", "version author from to changed"),
    ):
        assert " ".join(shown[shown.index(title) + 1].split()) == columns
    assert not set("│┃─━") & set("".join([*one, *defined]))


def test_kpis_have_their_value_and_status(service: Service, kind: str, tmp_path: Path) -> None:
    document = share(kind, target=10, direction="down")
    assert define(service, tmp_path, document).stdout.startswith("1 created")

    heading, *lines = rows(service.run("kpis").stdout)
    assert heading == [
        *("name", "value", "unit", "previous", "change", "target", "status", "moved by"),
    ]
    (line,) = [each for each in lines if each[0] == kind]
    assert line[1:3] + line[5:7] == ["25", "%", "10", "missed"]
    assert service.run("kpis", "query").stdout == service.run("kpis").stdout


def test_one_kpi_has_its_sources_and_days(service: Service, kind: str, tmp_path: Path) -> None:
    define(service, tmp_path, share(kind))

    shown = service.run("kpis", "query", kind, "--window", "24h").stdout
    assert "source\tvalue\tprevious\tcontribution\tnumerator\tdenominator" in shown
    assert "\nweb\t50\t" in shown
    assert "day\tvalue\tnumerator\tdenominator" in shown
    answer = json.loads(service.run("kpis", "query", kind, "--json").stdout)
    assert answer["items"][0]["name"] == kind


def test_definitions_are_listed_with_their_versions(
    service: Service, kind: str, tmp_path: Path
) -> None:
    define(service, tmp_path, share(kind))
    define(service, tmp_path, share(kind, target=5))

    lines = rows(service.run("kpis", "list", kind).stdout)
    counted = f"count of {kind}"
    assert lines[1] == [kind, "2", "ann", f"{counted} where code=500", counted, "%", "5"]
    assert [line[0] for line in lines[4:]] == ["2", "1"]
    assert lines[4][4] == "target"


def test_refused_kpis_are_named_and_the_others_defined(
    service: Service, kind: str, tmp_path: Path
) -> None:
    nameless = [{"numerator": 1}, {"name": ""}, {"name": 5}, "b"]
    done = define(service, tmp_path, [*nameless, {"name": "b"}, share(kind)])
    assert done.returncode == 1
    assert done.stdout == "1 created, 0 changed, 0 unchanged, 0 restored, 5 refused\n"
    first, second, third, fourth, fifth, *_ = done.stderr.splitlines()
    assert [first, second, third] == [f"entry {n}: It has no name." for n in (1, 2, 3)]
    assert fourth == "entry 4: It is not a JSON object."
    assert fifth.startswith("entry 5 (b): invalid fields: ")
    assert "5 of 6 KPIs are not defined." in done.stderr


def test_a_list_that_is_cut_short_says_so(service: Service, kind: str, tmp_path: Path) -> None:
    define(service, tmp_path, [share(kind), share(kind, name=f"{kind}_too")])

    assert service.run("kpis", "list", "--limit", "1").stderr == "There are more. Raise --limit.\n"
    assert service.run("kpis", "list").stderr == ""


def test_a_deleted_kpi_is_gone(service: Service, kind: str, tmp_path: Path) -> None:
    define(service, tmp_path, share(kind))

    assert service.run("kpis", "delete", kind, "--author", "ann").stdout == f"{kind} is deleted\n"
    assert kind not in service.run("kpis").stdout
    done = service.run("kpis", "delete", f"{kind}x", "--author", "ann")
    assert done.returncode == 4
    assert "kpis list` lists all KPIs." in done.stderr


def test_changes_are_listed(service: Service, kind: str) -> None:
    done = service.run("changes", kind, "--window", "1h")
    heading, line, *_ = rows(done.stdout)
    assert heading == [
        *("kind", "statistic", "group", "value", "previous", "median", "score", "moved by"),
    ]
    assert line[:5] == [kind, "count", "all", "4", "0"]
    assert done.stderr == ""
    title, columns, *_ = drawn(service, "changes", kind, "--window", "1h")
    assert re.fullmatch(TIMED.format("Changes").replace("7d", "1h"), title)
    assert columns.split() == [*heading[:-1], "moved", "by"]
    answer = json.loads(service.run("changes", kind, "--window", "1h", "--json").stdout)
    (moved, *_) = answer["items"][0]["contributions"]
    assert line[-1] == f"source={moved['group']['source']}"
    assert service.run("changes", f"{kind}x").returncode == 4


@pytest.mark.parametrize(("limit", "status"), [(0, 2), (1, 0), (100, 0), (101, 2)])
def test_1_to_100_changes_can_be_listed(service: Service, limit: int, status: int) -> None:
    done = service.run("changes", "--limit", str(limit), "--json")
    assert done.returncode == status
    assert status or len(json.loads(done.stdout)["items"]) <= limit


def test_that_nothing_has_changed_is_said(service: Service, kind: str) -> None:
    fact = {"kind": f"Fact:{kind}", "source": "web", "ts": time.time() - 40 * 86_400}
    httpx.post(f"{service.url}/ingest/facts", json=fact).raise_for_status()
    done = service.run("changes", f"Fact:{kind}", "--window", "1h")
    assert (done.returncode, done.stderr) == (0, "Nothing has changed.\n")
