"""Matchers of labels, as they are typed and shown: `severity!=info`, `source=~web-.*`."""

from __future__ import annotations

import re
from collections.abc import Iterable

from supervisor_mcp.cli.failure import USAGE, Failure

MATCHER = re.compile(r"([A-Za-z_][A-Za-z0-9_.]*)(=~|!~|!=|=)(.*)", re.DOTALL)


def read(given: str) -> dict[str, str]:
    """A matcher from a text. Raises Failure."""
    found = MATCHER.fullmatch(given)
    if not found:
        raise Failure(
            f'"{given}" is not a matcher.',
            USAGE,
            hint="Send NAME=VALUE, NAME!=VALUE, NAME=~REGEX or NAME!~REGEX.",
        )
    return dict(zip(("name", "operator", "value"), found.groups(), strict=True))


def shown(matchers: Iterable[dict[str, str]]) -> str:
    """Matchers as they are typed."""
    return " ".join(f"{each['name']}{each['operator']}{each['value']}" for each in matchers)
