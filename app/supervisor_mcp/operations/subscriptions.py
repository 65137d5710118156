"""Subscriptions: who is notified of alerts and facts by HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from supervisor_mcp.json_text import Json
from supervisor_mcp.operations import text_rules
from supervisor_mcp.operations.arguments import Cursor, Limit
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.documents import SCHEMAS
from supervisor_mcp.operations.json_validation import check_document
from supervisor_mcp.operations.outcome import known_outcome
from supervisor_mcp.operations.query import Query

DOCUMENT = SCHEMAS["subscription"]
SubscriptionName = Annotated[
    str,
    Meta(description="Name of the subscription.", extra_json_schema=text_rules.IDENTIFIER),
]


class SubscriptionRequest(Query, frozen=True):
    """Which subscription to create or change."""

    name: SubscriptionName


class SubscriptionListQuery(Query, frozen=True):
    """Which subscriptions to list, or which one to show."""

    name: Annotated[
        str | None,
        Meta(description="Show this one alone.", extra_json_schema=text_rules.IDENTIFIER),
    ] = None
    limit: Limit = None
    cursor: Cursor = None


class SubscriptionQuery(Query, frozen=True):
    """Which subscription to show."""

    name: SubscriptionName


class Unsubscription(Query, frozen=True):
    """Which subscription to remove."""

    name: SubscriptionName


class Subscription(Struct):
    """A subscription, without its secret."""

    name: str
    type: Literal["webhook", "alertmanager"]
    url: str
    author: str
    alerts: Annotated[
        dict[str, Any] | None,
        Meta(
            description="Which alerts, and how: matchers, group_by, group_wait, group_interval,"
            " repeat_interval; null for none."
        ),
    ]
    facts: Annotated[
        dict[str, Any] | None,
        Meta(description="Which facts: kinds, sources; null for none."),
    ]
    enabled: bool
    created_at: str
    updated_at: str
    pending: Annotated[int, Meta(description="Alerts, facts and requests that are to be sent.")]
    failed: Annotated[int, Meta(description="Requests of the last week that were given up.")]
    delivered_at: str | None
    error: Annotated[str | None, Meta(description="Of the newest request that was not delivered.")]


class Subscribed(Subscription):
    """The subscription as it is now; it is committed."""

    outcome: Literal["created", "changed", "unchanged"]
    secret: Annotated[
        str | None,
        Meta(description="Key of the signatures; shown only by the call that sets it."),
    ]
    hint: Annotated[
        str | None,
        Meta(
            description="That the URL has an address that is not public, and which of the labels"
            " that were sent no alert and no rule has."
        ),
    ]


class SubscriptionPage(Struct):
    """Subscriptions by name; next_cursor is null on the last page."""

    items: list[Subscription]
    next_cursor: str | None


class Unsubscribed(Struct):
    """A subscription that does not exist any more."""

    name: str
    outcome: Literal["removed"]
    removed_at: str


async def subscribe(
    context: Context, request: SubscriptionRequest, document: bytes, now: datetime
) -> bytes:
    """A `Subscribed` as JSON; it is committed. Raises `Problem`."""
    await check_document(document)
    arguments = {**request.arguments(), "document": Json(document), "now": now}
    with known_outcome("the subscription is stored"):
        return await context.database.write_json("subscribe", arguments)


async def list_subscriptions(
    context: Context, query: SubscriptionListQuery, now: datetime
) -> bytes:
    """A `SubscriptionPage` as JSON, or a `Subscription` where one is named. Raises `Problem`."""
    return await context.reads.read_json("list_subscriptions", {**query.arguments(), "now": now})


async def get_subscription(context: Context, query: SubscriptionQuery, now: datetime) -> bytes:
    """A `Subscription` as JSON. Raises `Problem`."""
    return await list_subscriptions(context, SubscriptionListQuery(name=query.name), now)


async def unsubscribe(context: Context, query: Unsubscription, now: datetime) -> bytes:
    """An `Unsubscribed` as JSON; it is committed. Raises `Problem`."""
    arguments = {**query.arguments(), "now": now}
    with known_outcome("the subscription is removed"):
        return await context.database.write_json("unsubscribe", arguments)
