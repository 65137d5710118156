"""supervisor-mcp restatements: what late samples have changed is listed."""

from __future__ import annotations

import json

import psycopg
import pytest

from tests.support.command_line import Service


@pytest.fixture
def unchanged(service: Service) -> Service:
    """The service without what the samples of other tests have changed."""
    with psycopg.connect(service.announced["Database"], autocommit=True) as conn:
        conn.execute("truncate data.restatement")
    return service


def test_an_empty_list_says_so(unchanged: Service) -> None:
    listed = unchanged.run("restatements")
    narrowed = unchanged.run("restatements", "--to", "2001-01-01T00:00:00Z")

    assert (listed.returncode, narrowed.returncode) == (0, 0)
    assert "No late sample" in listed.stderr
    assert "No restatements match" in narrowed.stderr


def test_json_is_the_answer_of_the_service(unchanged: Service) -> None:
    listed = unchanged.run("restatements", "--limit", "5", "--json")

    assert json.loads(listed.stdout) == {"items": [], "next_cursor": None}


def test_an_unknown_kind_is_refused(service: Service) -> None:
    listed = service.run("restatements", "nothing")

    assert listed.returncode == 4
    assert "nothing" in listed.stderr
