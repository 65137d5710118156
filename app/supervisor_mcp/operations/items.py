"""Fields that metric and fact items share."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, UnsetType

ItemSource = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=200,
        description="MCP server or agent that sends it; no white space.",
    ),
]
ItemTimestamp = (
    Annotated[
        str | float,
        Meta(
            description="RFC 3339 with an offset, or epoch seconds, at most 5 minutes ahead; the"
            " server's time if left out."
        ),
    ]
    | UnsetType
    | None
)
