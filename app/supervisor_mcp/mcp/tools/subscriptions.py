"""Tools of subscriptions."""

from __future__ import annotations

from supervisor_mcp.mcp.answers import bounded
from supervisor_mcp.mcp.tool import REMOVING, OperationTool
from supervisor_mcp.operations import subscriptions
from supervisor_mcp.operations.clock import Clock
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.subscriptions import (
    DOCUMENT,
    Subscribed,
    Subscription,
    SubscriptionListQuery,
    SubscriptionPage,
    SubscriptionRequest,
    Unsubscribed,
    Unsubscription,
)

NARROW = "Send a smaller limit."


def tools(context: Context, clock: Clock) -> list[OperationTool]:
    """subscribe, list_subscriptions, unsubscribe."""

    async def subscribe(request: SubscriptionRequest, document: bytes) -> bytes:
        """Have alerts and facts sent to a URL: a signed webhook, or an Alertmanager.

        Example: {"name": "policy", "author": "ann", "url": "https://policy.example/hook",
        "facts": {"kinds": ["Fact:Sale"]}}

        The answer has the secret of the signatures only when it is set.
        """
        return await subscriptions.subscribe(context, request, document, clock())

    async def list_subscriptions(query: SubscriptionListQuery) -> bytes:
        """The subscriptions, and whether they get what they should.

        The answer is ordered by name; failed counts requests that were given up. With name, it is
        that subscription alone.
        """
        return bounded(await subscriptions.list_subscriptions(context, query, clock()), NARROW)

    async def unsubscribe(query: Unsubscription) -> bytes:
        """Remove a subscription, with what it has not been sent yet.

        The answer says when.
        """
        return await subscriptions.unsubscribe(context, query, clock())

    return [
        OperationTool.taking(subscribe, SubscriptionRequest, DOCUMENT, Subscribed),
        OperationTool.asking(
            list_subscriptions,
            SubscriptionListQuery,
            SubscriptionPage,
            Subscription,
        ),
        OperationTool.asking(unsubscribe, Unsubscription, Unsubscribed, hints=REMOVING),
    ]
