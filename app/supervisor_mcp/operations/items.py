"""Fields that metric and fact items share."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, UnsetType

from supervisor_mcp.operations import text_rules
from supervisor_mcp.operations.arguments import TIMESTAMP_RULE

# Rollups square values; squares of larger ones leave the range of a double.
LARGEST_VALUE = 1e140
VALUE_RANGE = {"minimum": -LARGEST_VALUE, "maximum": LARGEST_VALUE}

ItemSource = Annotated[
    str,
    Meta(
        description="MCP server or agent that sends it; no white space.",
        extra_json_schema=text_rules.SOURCE_NAME,
    ),
]
ItemTimestamp = (
    Annotated[
        str | float,
        Meta(
            description="RFC 3339 with an offset, or epoch seconds, at most 5 minutes ahead; the"
            " server's time if left out.",
            extra_json_schema=TIMESTAMP_RULE,
        ),
    ]
    | UnsetType
    | None
)
