"""supervisor-mcp kpis and changes."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.command_line import Service


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
    done = define(service, tmp_path, [share(kind), {"name": "b"}, {"numerator": 1}])
    assert done.returncode == 1
    assert done.stdout.startswith("1 created")
    assert "numerator" in done.stderr
    assert "It has no name." in done.stderr
    assert "2 of 3 KPIs are not defined." in done.stderr


def test_a_deleted_kpi_is_gone(service: Service, kind: str, tmp_path: Path) -> None:
    define(service, tmp_path, share(kind))

    assert service.run("kpis", "delete", kind, "--author", "ann").stdout == f"{kind} is deleted\n"
    assert kind not in service.run("kpis").stdout
    done = service.run("kpis", "delete", f"{kind}x", "--author", "ann")
    assert done.returncode == 4
    assert "kpis list` lists all KPIs." in done.stderr


def test_changes_are_listed(service: Service, kind: str) -> None:
    heading, line, *_ = rows(service.run("changes", kind, "--window", "1h").stdout)
    assert heading[:5] == ["kind", "statistic", "group", "value", "previous"]
    assert line[:5] == [kind, "count", "all", "4", "0"]
    answer = json.loads(service.run("changes", "--limit", "1", "--json").stdout)
    assert len(answer["items"]) == 1
    assert service.run("changes", f"{kind}x").returncode == 4
