"""Query parameters: declared once, for reading them and for the OpenAPI document."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from supervisor_mcp.errors import Problem

LABEL = "label."
# A + in a URL is a space; instants are often pasted from an answer as they are.
PASTED_OFFSET = re.compile(r"(?<=\d) (?=\d\d:\d\d$)")


@dataclass(frozen=True)
class Parameter:
    """A query parameter as the OpenAPI document describes it."""

    name: str
    description: str
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})
    required: bool = False


INSTANT: Mapping[str, Any] = {
    "anyOf": [{"type": "string", "format": "date-time"}, {"type": "number"}]
}
LIMIT = Parameter(
    "limit",
    "How many at most.",
    {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100},
)
CURSOR = Parameter("cursor", "next_cursor of the answer before.")


class Parameters:
    """What a path takes; with `labels` also `label.<name>`, once for every name."""

    def __init__(self, *known: Parameter, labels: bool = False) -> None:
        self.known = known
        self.labels = labels
        self._names = {parameter.name for parameter in known}
        self._instants = {p.name for p in known if p.schema is INSTANT}

    def read(self, query: str) -> dict[str, str]:
        """The parameters of a query string, as text. Raises `Problem`."""
        read: dict[str, str] = {}
        for name, value in _pairs(query):
            if name in read:
                raise Problem(
                    "parameter_once",
                    f"{_short(name)} is given twice.",
                    hint="Send every parameter once.",
                    params={"field": name},
                )
            if name not in self._names and not (self.labels and name.startswith(LABEL)):
                raise self._unknown(name)
            read[name] = PASTED_OFFSET.sub("+", value) if name in self._instants else value
        return read

    def _unknown(self, name: str) -> Problem:
        known = [*sorted(self._names), *([f"{LABEL}<name>"] if self.labels else [])]
        return Problem(
            "parameter_known",
            f"There is no parameter {_short(name)} here.",
            hint=f"Known are {', '.join(known)}." if known else "This path takes none.",
            params={"field": name, "known": known},
        )


def _pairs(query: str) -> list[tuple[str, str]]:
    if not query:
        return []
    try:
        return parse_qsl(
            query, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=100
        )
    except ValueError:
        raise Problem(
            "parameter_well_formed",
            "The query string is not name=value pairs in percent-encoded UTF-8.",
            hint="Encode names and values, at most 100 of them.",
        ) from None


def _short(name: str) -> str:
    return f'"{name[:100]}"'
