"""Versions of what is defined by a document: alert rules, KPIs, silences."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field


class Change(Struct):
    """A member of a document that two versions have differently; null where one lacks it."""

    field: Annotated[str, Meta(description="Path, such as condition.window.")]
    before: Any
    after: Any


class Version(Struct):
    """A version, and from when until when it was in force."""

    version: int
    author: str
    from_: str = field(name="from")
    to: str | None
    changes: Annotated[list[Change], Meta(description="Differences to the version before.")]


class Defined(Struct):
    """What became of a definition; it is committed."""

    name: str
    outcome: Annotated[
        Literal["created", "changed", "unchanged", "restored"],
        Meta(description="restored: it had been deleted."),
    ]
    version: int
    author: str
    defined_at: str
    changes: Annotated[list[Change], Meta(description="Differences to the version before.")]
