"""Query strings, paths and bodies as queries."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from supervisor_mcp.errors import Problem
from supervisor_mcp.operations.facts import FactStreamQuery
from supervisor_mcp.operations.ingest import IngestOptions
from supervisor_mcp.operations.metrics import SeriesQuery
from supervisor_mcp.operations.query import parameters
from supervisor_mcp.rest.parameters import (
    MOST_PARAMETERS,
    read_object_query,
    read_query,
    spelled,
)

SPELLED = ["from", "label.<name>", "name", "source", "split_by", "step", "to"]


def refused(query: Any, query_string: str, path: dict[str, str] | None = None) -> Problem:
    with pytest.raises(Problem) as raised:
        read_query(query, path or {}, query_string)
    return raised.value


def test_a_query_string_is_read_with_the_path() -> None:
    sent = "label.region=eu&label.a.b=%C3%BC+1&from=2026-11-23T16:00:00%2B00:00&step="
    assert read_query(SeriesQuery, {"name": "a/b"}, sent) == SeriesQuery(
        name="a/b",
        labels={"region": "eu", "a.b": "ü 1"},
        from_=datetime(2026, 11, 23, 16, tzinfo=UTC),
        step="",
    )


def test_without_a_query_string_there_is_the_path() -> None:
    assert read_query(SeriesQuery, {"name": "a"}, "") == SeriesQuery(name="a")


def test_the_plus_of_a_pasted_offset_is_read_as_such_in_times_alone() -> None:
    read = read_query(SeriesQuery, {}, "from=2026-11-23T16:00:00+02:00&name=1+02:00")
    assert (read.from_, read.name) == (datetime(2026, 11, 23, 14, tzinfo=UTC), "1 02:00")


@pytest.mark.parametrize("name", ["labels", "label", "labels.region", "from.a", "fro.m", "nothing"])
def test_another_name_is_answered_with_those_that_are_known(name: str) -> None:
    problem = refused(SeriesQuery, f"name=a&{name}=b")
    assert problem.slug == "parameter_known"
    assert problem.params == {"field": name, "known": SPELLED}


@pytest.mark.parametrize(
    ("query", "name"), [(IngestOptions, "idempotency_key"), (FactStreamQuery, "last_event_id")]
)
def test_what_comes_in_a_header_is_unknown_in_the_query_string(query: Any, name: str) -> None:
    problem = refused(query, f"{name}=a")
    assert problem.slug == "parameter_known"
    assert name not in problem.params["known"]


def test_a_parameter_of_the_path_is_not_taken_from_elsewhere() -> None:
    known = [name for name in SPELLED if name != "name"]
    assert refused(SeriesQuery, "name=b", {"name": "a"}).params["known"] == known
    with pytest.raises(Problem) as raised:
        read_object_query(SeriesQuery, {"name": "a"}, {"step": "1h", "name": "b"})
    assert raised.value.params == {
        "field": "name",
        "known": ["from", "labels", "source", "split_by", "step", "to"],
    }
    read = read_object_query(SeriesQuery, {"name": "a"}, {"step": "1h", "source": None})
    assert read == SeriesQuery(name="a", step="1h")


@pytest.mark.parametrize("name", ["name", "label.region"])
def test_a_parameter_is_sent_once(name: str) -> None:
    problem = refused(SeriesQuery, f"{name}=a&{name}=a")
    assert (problem.slug, problem.params) == ("parameter_once", {"field": name})


def test_the_name_of_a_repeated_parameter_is_shortened() -> None:
    name = "n" * 121
    problem = refused(SeriesQuery, f"label.{name}=a&label.{name}=a")
    shown = f"label.{name}"[:120]
    assert problem.params == {"field": shown}
    assert problem.detail == f'parameter "{shown}" is given more than once'


@pytest.mark.parametrize("sent", ["name", "name=%FF", "&", "name=a&&source=b"])
def test_what_is_no_query_string_is_refused(sent: str) -> None:
    problem = refused(SeriesQuery, sent)
    assert (problem.slug, problem.params) == ("parameter_well_formed", {})


def test_a_query_string_has_at_most_100_parameters() -> None:
    assert MOST_PARAMETERS == 100
    most = "&".join(f"label.a{number}=b" for number in range(99))
    assert len(read_query(SeriesQuery, {}, f"name=a&{most}").labels or ()) == 99
    assert refused(SeriesQuery, f"name=a&source=b&{most}").slug == "parameter_well_formed"


def test_a_map_is_spelled_by_its_members() -> None:
    assert sorted(map(spelled, parameters(SeriesQuery))) == SPELLED
