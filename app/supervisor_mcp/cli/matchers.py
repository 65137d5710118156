"""Matchers of labels, as they are typed and shown: `severity!=info`, `source=~web-.*`."""

from __future__ import annotations

import re
from collections.abc import Iterable

from supervisor_mcp.cli.failure import USAGE, Failure

MATCHER = re.compile(r"([A-Za-z_][A-Za-z0-9_.]*)(=~|!~|!=|=)(.*)", re.DOTALL)


def read(given: str) -> dict[str, str]:
    """A matcher from a text. Raises Failure."""
    found = MATCHER.fullmatch(given)
    if found and found[2] in ("=", "!=") and found[3].startswith("="):
        raise Failure(
            f'"{given}" has the operator {found[2]}=, which matchers do not have.',
            USAGE,
            hint=f"Use {found[2]} for {'equality' if found[2] == '=' else 'inequality'}, and =~ or"
            " !~ for a value that begins with =.",
        )
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
