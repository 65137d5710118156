"""Policies: how long rows are kept, and what else a database administrator tunes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.outcome import known_outcome
from supervisor_mcp.operations.query import Query

Kind = Literal["retention", "columnstore", "refresh", "quota"]
Name = Annotated[str, Meta(description="A name of list_policies, such as data.sample.")]


class PolicyQuery(Query, frozen=True):
    """Which policies to list."""

    policy: Annotated[Kind | None, Meta(description="Only these.")] = None


class PolicyChange(Query, frozen=True):
    """A policy and its new value."""

    policy: Annotated[Kind, Meta(description="Which kind of policy.")]
    name: Name
    value: Annotated[
        str, Meta(description="A length of time, such as 90 days; of a quota, a number.")
    ]


class RetentionQuery(Query, frozen=True):
    """Which retention to try."""

    name: Name
    drop_after: Annotated[
        str | None, Meta(description="A length of time, such as 90 days; as it is, if left out.")
    ] = None


class Policy(Struct):
    """A policy; shipped is the value of the release, null for a quota."""

    policy: Kind
    name: str
    value: str
    shipped: str | None


class PolicyList(Struct):
    """Policies by kind and name."""

    items: list[Policy]


class ChangedPolicy(Policy):
    """The policy as it is now."""

    changed: bool


class Need(Struct):
    """What needs rows for longer, and why."""

    needed_by: str
    needed: str
    reason: str


class Drops(Struct):
    """What retention would drop; rows are estimated where they are many."""

    chunks: int
    rows: int
    bytes: int
    from_: str | None = field(name="from")
    to: str | None


class PinReference(Struct):
    """A pin that keeps a chunk."""

    id: int
    source: str
    reason: str


class Chunk(Struct):
    """A part of a relation that has expired; one that is pinned stays."""

    from_: str = field(name="from")
    to: str
    rows: int
    bytes: int
    pinned_by: list[PinReference] | None


class RetentionPlan(Struct):
    """What a retention would do; refused says what does not allow it."""

    name: str
    current: str
    drop_after: str
    allowed: bool
    refused: list[Need]
    drops: Drops
    chunks: list[Chunk]


async def list_policies(context: Context, query: PolicyQuery) -> bytes:
    """A `PolicyList` as JSON. Raises `Problem`."""
    return await context.reads.read_json("list_policies", query.arguments())


async def set_policy(context: Context, change: PolicyChange) -> bytes:
    """A `ChangedPolicy` as JSON; it is committed. Raises `Problem`."""
    with known_outcome("the policy is set"):
        return await context.database.write_json("set_policy", change.arguments())


async def plan_retention(context: Context, query: RetentionQuery, now: datetime) -> bytes:
    """A `RetentionPlan` as JSON; nothing is changed. Raises `Problem`."""
    return await context.reads.read_json("plan_retention", {**query.arguments(), "now": now})
