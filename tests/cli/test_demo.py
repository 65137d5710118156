from __future__ import annotations

import json

import httpx

from tests.support.command_line import Service


def test_a_demo_is_labelled_and_a_second_one_doubles_nothing(service: Service) -> None:
    first = service.run("demo", "--days", "1", "--seed", "9", "--json")
    assert first.returncode == 0, first.stderr
    told = json.loads(first.stdout)
    assert told["accepted"] == told["rows"] > 2_000
    assert told["rejected"] == told["conflict"] == 0
    again = json.loads(service.run("demo", "--days", "1", "--seed", "9", "--json").stdout)
    assert again["conflict"] == again["rejected"] == 0
    # The clock went on between the two.
    assert again["duplicate"] >= told["rows"] - 40
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
