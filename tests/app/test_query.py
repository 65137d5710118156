"""A query is declared once; reading it, its schema and its SQL arguments follow from that."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from supervisor_mcp.errors import Problem
from supervisor_mcp.json_text import Json
from supervisor_mcp.operations import arguments
from supervisor_mcp.operations.aggregates import AggregateQuery
from supervisor_mcp.operations.facts import FactQuery
from supervisor_mcp.operations.ingest import IngestOptions
from supervisor_mcp.operations.kinds import KindQuery
from supervisor_mcp.operations.metrics import SeriesQuery
from supervisor_mcp.operations.query import Query, parameters

QUERIES: list[Any] = [AggregateQuery, FactQuery, IngestOptions, KindQuery, SeriesQuery]


@pytest.mark.parametrize("query", QUERIES)
def test_every_parameter_has_a_type_and_a_description(query: type[Query]) -> None:
    for parameter in parameters(query):
        assert parameter.schema["type"], parameter.name
        assert parameter.description, parameter.name


@pytest.mark.parametrize("query", QUERIES)
def test_no_schema_admits_null(query: type[Query]) -> None:
    for parameter in parameters(query):
        assert "null" not in str(parameter.schema), parameter.name


def test_the_parameters_of_a_query_are_found_once() -> None:
    assert parameters(FactQuery) is parameters(FactQuery)


class Forms(Query, frozen=True):
    """A parameter of each form."""

    text: Annotated[str, Meta(description="A text.")]
    choice: Annotated[Literal["a", "b"] | None, Meta(description="A choice.")] = None
    number: Annotated[int | None, Meta(description="A number.")] = None
    switch: Annotated[bool, Meta(description="A switch.")] = False
    names: Annotated[tuple[str, ...] | None, Meta(description="Names.")] = None
    labels: Annotated[dict[str, str] | None, Meta(description="A map.")] = None
    rule: Annotated[dict[str, Any] | None, Meta(description="An object.")] = None
    steps: Annotated[list[dict[str, Any]] | None, Meta(description="Objects.")] = None
    at: Annotated[arguments.Timestamp | None, Meta(description="A time.")] = None


def test_a_parameter_is_read_by_its_type() -> None:
    found = {each.name: each for each in parameters(Forms)}
    assert {name: each.reader for name, each in found.items()} == {
        "text": arguments.TEXT,
        "choice": arguments.TEXT,
        "number": arguments.INTEGER,
        "switch": arguments.BOOLEAN,
        "names": arguments.LIST,
        "labels": arguments.MAP,
        "rule": arguments.OBJECT,
        "steps": arguments.OBJECTS,
        "at": arguments.TIMESTAMP,
    }
    assert [name for name, each in found.items() if each.required] == ["text"]
    assert [name for name, each in found.items() if each.is_map is True] == ["labels"]
    assert [name for name, each in found.items() if each.is_map is False] == [
        name for name in found if name != "labels"
    ]
    assert [name for name, each in found.items() if each.is_timestamp is True] == ["at"]
    assert [name for name, each in found.items() if each.is_timestamp is False] == [
        name for name in found if name != "at"
    ]
    assert found["switch"].schema == {
        "type": "boolean",
        "description": "A switch.",
        "default": False,
    }
    assert found["number"].schema == {"type": "integer", "description": "A number."}


def test_values_reach_sql_as_it_takes_them() -> None:
    asked = Forms.read(
        {"text": "t", "names": ["a"], "labels": {"a": "b"}, "steps": [{}], "switch": True}
    )
    sent = asked.arguments()
    assert sent.pop("names") == ["a"]
    assert (sent.pop("labels"), sent.pop("steps")) == (Json(b'{"a":"b"}'), Json(b"[{}]"))
    assert sent == {
        "text": "t",
        "choice": None,
        "number": None,
        "switch": True,
        "rule": None,
        "at": None,
    }


def test_the_name_of_an_unknown_parameter_is_shortened() -> None:
    with pytest.raises(Problem) as raised:
        FactQuery.read({"x" * 121: 5})
    assert raised.value.params["field"] == "x" * 120
    assert raised.value.detail == f'unknown parameter "{"x" * 120}"'


@given(st.integers(1, 1000), st.text(st.characters(codec="utf-8", exclude_characters="\0")))
def test_json_and_text_make_the_same_query(limit: int, prefix: str) -> None:
    from_json = KindQuery.read({"limit": limit, "prefix": prefix})
    assert from_json == KindQuery.parse({"limit": str(limit), "prefix": prefix})
    assert from_json.arguments() == {
        "type": None,
        "prefix": prefix,
        "limit": limit,
        "cursor": None,
    }


def test_a_parameter_that_python_reserves_has_its_own_name() -> None:
    query = FactQuery.parse({"from": "2026-11-23 16:00:00Z"})
    assert query.arguments()["from"] == datetime(2026, 11, 23, 16, tzinfo=UTC)


def test_null_is_an_absent_value() -> None:
    assert FactQuery.read({"limit": None}) == FactQuery()


def test_a_missing_parameter_is_named_with_what_it_means() -> None:
    with pytest.raises(Problem) as raised:
        AggregateQuery.read({})
    assert raised.value.slug == "parameter_required"
    assert raised.value.params == {"field": "window"}
    assert raised.value.hint == 'Send "window", such as 24h. How far back from now.'
    with pytest.raises(Problem) as raised:
        SeriesQuery.read({})
    assert raised.value.hint == 'Send "name". Exact name of a metric, or a fact kind.'


def test_an_unknown_parameter_is_answered_with_the_nearest() -> None:
    with pytest.raises(Problem) as raised:
        FactQuery.read({"limits": 5})
    assert raised.value.params["field"] == "limits"
    assert str(raised.value.hint).startswith('Did you mean "limit"? Known parameters: ')


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ([], "an array"),
        ({}, "an object"),
        (5, "the number 5"),
        (True, "the boolean true"),
        (float("nan"), "the number NaN"),
    ],
)
def test_a_value_of_another_type_is_shown(sent: object, shown: str) -> None:
    with pytest.raises(Problem, match=f'parameter "kind" must be a string, not {shown}'):
        FactQuery.read({"kind": sent})
