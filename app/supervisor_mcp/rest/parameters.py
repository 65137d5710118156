"""Paths, query strings and bodies as queries."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from supervisor_mcp.errors import Problem
from supervisor_mcp.operations.arguments import LONGEST_NAME
from supervisor_mcp.operations.query import Parameter, Query, parameters, unknown_parameter

MOST_PARAMETERS = 100
# A + in a URL means a blank; timestamps are often pasted from an answer as they are.
PASTED_OFFSET = re.compile(r"(?<=\d) (?=\d\d:\d\d$)")

# Parameters of a query that a request carries in a header.
HEADERS = {"idempotency_key": "Idempotency-Key", "last_event_id": "Last-Event-ID"}

Asked = TypeVar("Asked", bound=Query)


def read_query(query: type[Asked], path: Mapping[str, str], query_string: str) -> Asked:
    """Read the parameters of a path and a query string. Raises `Problem`.

    A map such as labels comes as label.<key>=value.
    """
    elsewhere = {*HEADERS, *path}
    known = {p.name: p for p in parameters(query) if p.name not in elsewhere}
    sent: dict[str, str | dict[str, str]] = {}
    for name, value in _unrepeated(_pairs(query_string)):
        singular, dot, key = name.partition(".")
        field = known.get(f"{singular}s" if dot else name)
        if field is None or dot != ("." if field.is_map else ""):
            raise unknown_parameter(name, sorted(map(spelled, known.values())))
        if field.is_map:
            sent.setdefault(field.name, {})[key] = value  # type: ignore[index]
        else:
            sent[name] = PASTED_OFFSET.sub("+", value) if field.is_timestamp else value
    return query.parse({**sent, **path})


def read_object_query(
    query: type[Asked], path: Mapping[str, str], sent: Mapping[str, Any]
) -> Asked:
    """Read the parameters of a path and those of an object in the body. Raises `Problem`."""
    for name in sent:
        if name in path:
            known = [p.name for p in parameters(query) if p.name not in path]
            raise unknown_parameter(name, sorted(known))
    return query.read({**sent, **path})


def spelled(parameter: Parameter) -> str:
    """The name of a parameter in a URL: label.<name> for the map labels."""
    return f"{parameter.name.removesuffix('s')}.<name>" if parameter.is_map else parameter.name


def _unrepeated(pairs: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    for name, value in pairs:
        if name in seen:
            raise Problem(
                "parameter_once",
                f'parameter "{name[:LONGEST_NAME]}" is given more than once',
                hint="Send every parameter once.",
                params={"field": name[:LONGEST_NAME]},
            )
        seen.add(name)
        yield name, value


def _pairs(query_string: str) -> list[tuple[str, str]]:
    if not query_string:
        return []
    try:
        return parse_qsl(
            query_string,
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=MOST_PARAMETERS,
        )
    except ValueError:
        raise Problem(
            "parameter_well_formed",
            "the query string is not name=value pairs in percent-encoded UTF-8",
            hint=f"Encode names and values, and send at most {MOST_PARAMETERS} of them.",
        ) from None
