"""A query is declared once; reading it, its schema and its SQL arguments follow from that."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor_mcp.errors import Problem
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
    assert raised.value.hint


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
