"""GET and POST /admin/pins, and DELETE /admin/pins/{id}."""

from __future__ import annotations

from falcon.asgi import Request, Response

from supervisor_mcp.operations.pins import (
    Pin,
    PinList,
    PinQuery,
    PinRequest,
    Unpin,
    list_pins,
    pin_window,
    unpin_window,
)
from supervisor_mcp.rest.operation import JSON, Operation, ReadResource, Resource, send_json

PINS = "/admin/pins"


class PinsResource(ReadResource):
    """The pins, the newest first."""

    path = PINS
    operation = Operation("list_pins", "List pins", PinQuery, {JSON: PinList})

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer with all of them."""
        send_json(resp, await list_pins(self._context, self.operation.read(req)))


class PinWindowResource(Resource):
    """Pins a range of time."""

    path = PINS
    operation = Operation(
        "pin_window",
        "Keep the raw rows of a range of time",
        PinRequest,
        {JSON: Pin},
        method="post",
        problems=(404, 413, 415, 429),
    )

    async def on_post(self, req: Request, resp: Response) -> None:
        """Pin the range."""
        request = await self.operation.read_body(req)
        send_json(resp, await pin_window(self._context, request, self._clock()))


class UnpinWindowResource(Resource):
    """Removes a pin."""

    path = f"{PINS}/{{id}}"
    operation = Operation(
        "unpin_window", "Remove a pin", Unpin, {JSON: Pin}, method="delete", problems=(404,)
    )

    async def on_delete(self, req: Request, resp: Response) -> None:
        """Remove the pin."""
        unpin = self.operation.read(req)
        send_json(resp, await unpin_window(self._context, unpin, self._clock()))
