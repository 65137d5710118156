"""GET /subscriptions, and PUT, GET and DELETE /subscriptions/{name}."""

from __future__ import annotations

from falcon.asgi import Request, Response

from supervisor_mcp.operations.subscriptions import (
    DOCUMENT,
    Subscribed,
    Subscription,
    SubscriptionListQuery,
    SubscriptionPage,
    SubscriptionQuery,
    SubscriptionRequest,
    Unsubscribed,
    Unsubscription,
    get_subscription,
    list_subscriptions,
    subscribe,
    unsubscribe,
)
from supervisor_mcp.rest.bodies import read_document
from supervisor_mcp.rest.operation import JSON, Operation, ReadResource, Resource, send_json

SUBSCRIPTION = "/subscriptions/{name}"


class SubscriptionsResource(ReadResource):
    """The subscriptions, by name."""

    path = "/subscriptions"
    operation = Operation(
        "list_subscriptions",
        "List subscriptions",
        SubscriptionListQuery,
        {JSON: SubscriptionPage | Subscription},
        problems=(404,),
    )

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer with a page, or with the subscription that is named."""
        query = self.operation.read(req)
        send_json(resp, await list_subscriptions(self._context, query, self._clock()))


class SubscribeResource(Resource):
    """Creates a subscription, or changes it."""

    path = SUBSCRIPTION
    operation = Operation(
        "subscribe",
        "Subscribe to alerts and facts",
        SubscriptionRequest,
        {JSON: Subscribed},
        method="put",
        document=DOCUMENT,
        problems=(413, 415, 429),
    )

    async def on_put(self, req: Request, resp: Response) -> None:
        """Store the subscription of the document."""
        query = self.operation.read(req)
        document = await read_document(req)
        send_json(resp, await subscribe(self._context, query, document, self._clock()))


class SubscriptionResource(ReadResource):
    """A subscription."""

    path = SUBSCRIPTION
    operation = Operation(
        "get_subscription",
        "A subscription",
        SubscriptionQuery,
        {JSON: Subscription},
        problems=(404,),
    )

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer with the subscription."""
        query = self.operation.read(req)
        send_json(resp, await get_subscription(self._context, query, self._clock()))


class UnsubscribeResource(Resource):
    """Removes a subscription."""

    path = SUBSCRIPTION
    operation = Operation(
        "unsubscribe",
        "Remove a subscription",
        Unsubscription,
        {JSON: Unsubscribed},
        method="delete",
        problems=(404,),
    )

    async def on_delete(self, req: Request, resp: Response) -> None:
        """Remove the subscription."""
        query = self.operation.read(req)
        send_json(resp, await unsubscribe(self._context, query, self._clock()))
