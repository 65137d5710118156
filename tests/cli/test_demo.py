from __future__ import annotations

import json
import time

import httpx
import pytest

from supervisor_mcp.cli.client import Client
from supervisor_mcp.cli.failure import FAILED, Failure
from supervisor_mcp.cli.ingest import METRICS, Row, Tally, ingest
from tests.support.foreground import Service


def test_a_demo_is_labeled_and_a_second_one_adds_no_row_twice(service: Service) -> None:
    first = service.run("demo", "--days", "1", "--seed", "9", "--json")
    assert first.returncode == 0, first.stderr
    summary = json.loads(first.stdout)
    assert summary["accepted"] == summary["rows"] > 2_000
    assert summary["rejected"] == summary["conflict"] == 0
    again = json.loads(service.run("demo", "--days", "1", "--seed", "9", "--json").stdout)
    assert again["conflict"] == again["rejected"] == 0
    # The clock went on between the two.
    assert again["duplicate"] >= summary["rows"] - 40
    answer = httpx.get(
        f"{service.url}/query/agg",
        params={"kind": "mcp.duration", "window": "7d", "group_by": "label.demo"},
    ).json()
    assert [group["group"] for group in answer["groups"]] == ["true"]
    assert answer["count"] > 0


def test_a_demo_ends_with_commands_that_work(service: Service) -> None:
    done = service.run("demo", "--days", "1", "--seed", "9")
    for line in done.stderr.partition("Look around:\n")[2].splitlines():
        arguments = line.split()[1:]
        assert service.run(*arguments).returncode == 0, line


def test_rejected_rows_end_a_demo_or_an_import_with_status_1(
    service: Service, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    values = [1, *["high"] * 12]
    rows = [
        Row(
            f"x:{number}",
            METRICS,
            json.dumps({"name": name, "source": "me", "value": value, "ts": time.time()}).encode(),
        )
        for number, value in enumerate(values)
    ]
    tally = Tally()
    with Client(service.url) as client:
        ingest(client, rows, tally)
    with pytest.raises(Failure) as failed:
        tally.raise_if_rejected(report=True)
    assert failed.value.status == FAILED
    assert failed.value.detail == "12 of 13 rows were rejected; the others are stored."
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 11
    assert lines[-1] == "… and 2 more."
