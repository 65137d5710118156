"""supervisor-mcp restatements: what late samples have changed is listed."""

from __future__ import annotations

import json

import httpx
import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.support.command_line import Service

CHANGED = """
insert into data.aggregate_restatement (
    kind_id, during, noted_at, restated_at, late_samples, before, after
)
select kind_id, tstzrange(%(from)s, %(to)s), %(at)s, %(at)s, 7, %(before)s, %(after)s
from data.kind
where name = %(name)s
"""


@pytest.fixture
def unchanged(service: Service) -> Service:
    """The service without what the samples of other tests have changed."""
    with psycopg.connect(service.announced["Database"], autocommit=True) as conn:
        conn.execute("truncate data.aggregate_restatement")
    return service


def test_an_empty_list_says_so(unchanged: Service) -> None:
    listed = unchanged.run("restatements")
    narrowed = unchanged.run("restatements", "--to", "2001-01-01T00:00:00Z")

    assert (listed.returncode, narrowed.returncode) == (0, 0)
    assert "Nothing that was rolled up has changed since." in listed.stderr
    assert "No restatements match" in narrowed.stderr


@pytest.fixture
def changed(unchanged: Service, name: str) -> Service:
    """The service with two hours of a metric that late samples have changed."""
    item = {"name": name, "source": "web", "value": 1}
    httpx.post(f"{unchanged.url}/ingest/metrics", json=item).raise_for_status()
    with psycopg.connect(unchanged.announced["Database"], autocommit=True) as conn:
        for hour, before in ((1, {"count": 2, "sum": 3.5}), (2, {"count": 0, "sum": None})):
            conn.execute(
                CHANGED,
                {
                    "name": name,
                    "from": f"2026-03-01T0{hour}:00:00Z",
                    "to": f"2026-03-01T0{hour + 1}:00:00Z",
                    "at": "2026-03-02T00:00:00Z",
                    "before": Jsonb({**before, "min": None, "max": None}),
                    "after": Jsonb({"count": 1200, "sum": 12.5, "min": 1, "max": 4}),
                },
            )
    return unchanged


def test_what_has_changed_is_listed_with_counts_and_sums(changed: Service, name: str) -> None:
    listed = changed.run("restatements", name)

    assert (listed.returncode, listed.stderr) == (0, "")
    at = "2026-03-01T0{}:00:00+00:00"
    restated = "2026-03-02T00:00:00+00:00"
    assert [line.split("\t") for line in listed.stdout.splitlines()] == [
        ["kind", "from", "to", "reason", "late", "restated", "count", "sum"],
        [name, at.format(2), at.format(3), "late samples", "7", restated, "0 -> 1200", "- -> 12.5"],
        [
            name,
            at.format(1),
            at.format(2),
            "late samples",
            "7",
            restated,
            "2 -> 1200",
            "3.5 -> 12.5",
        ],
    ]


def test_a_list_that_is_cut_short_says_so(changed: Service) -> None:
    listed = changed.run(
        "restatements", "--limit", "1", TTY_COMPATIBLE="1", NO_COLOR="1", COLUMNS="150"
    )

    assert "There are more. Raise --limit, or narrow the list" in listed.stderr
    assert len(listed.stdout.splitlines()) == 3
    assert not set("│┃─━") & set(listed.stdout)


def test_json_is_the_answer_of_the_service(unchanged: Service) -> None:
    listed = unchanged.run("restatements", "--limit", "5", "--json")

    assert json.loads(listed.stdout) == {"items": [], "next_cursor": None}


def test_an_unknown_kind_is_refused(service: Service) -> None:
    listed = service.run("restatements", "nothing")

    assert listed.returncode == 4
    assert "nothing" in listed.stderr
