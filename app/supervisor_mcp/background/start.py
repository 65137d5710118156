"""Starting the loops of a web process, and stopping them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import uuid4

from supervisor_mcp.background import deliveries, jobs, prober
from supervisor_mcp.background.addresses import Allowed
from supervisor_mcp.background.deliveries import Deliveries
from supervisor_mcp.background.jobs import Jobs
from supervisor_mcp.background.loop import Loop
from supervisor_mcp.background.probe import Prober
from supervisor_mcp.background.prober import Probes
from supervisor_mcp.background.sender import Sender
from supervisor_mcp.config import Settings
from supervisor_mcp.operations.clock import Clock, now
from supervisor_mcp.operations.context import Context

UPTIME_SECONDS = 5.0


@asynccontextmanager
async def running(context: Context, settings: Settings, clock: Clock = now) -> AsyncIterator[None]:
    """Run the loops; the database does not have to be there yet."""
    process = uuid4()

    async def record_uptime() -> None:
        await context.database.call_in_background(
            "record_uptime", {"process": process, "now": clock()}, read_only=False
        )

    async with AsyncExitStack() as stack:

        def start(loop: Loop) -> None:
            loop.start()
            stack.push_async_callback(loop.stop)

        start(Loop("uptime", record_uptime, interval_seconds=UPTIME_SECONDS))
        repairs = Jobs(context.database, clock)
        start(Loop("repair of jobs", repairs.step, interval_seconds=jobs.STEP_SECONDS))
        if settings.probe:
            probes = _probes(context, settings, clock)
            stack.push_async_callback(probes.stop)
            start(Loop("prober", probes.step, interval_seconds=prober.STEP_SECONDS))
        if settings.delivery:
            sent = Deliveries(context, _sender(settings), clock)
            stack.push_async_callback(sent.stop)
            start(Loop("delivery", sent.step, interval_seconds=deliveries.STEP_SECONDS))
        yield


def _probes(context: Context, settings: Settings, clock: Clock) -> Probes:
    asking = Prober(
        Allowed("SUPERVISOR_PROBE_ALLOWED", settings.probe_allowed or ()),
        timeout_seconds=settings.probe_timeout_seconds,
        slow_seconds=settings.probe_slow_seconds,
    )
    return Probes(context, asking, clock, concurrency=settings.probe_concurrency)


def _sender(settings: Settings) -> Sender:
    return Sender(
        Allowed("SUPERVISOR_DELIVERY_ALLOWED", settings.delivery_allowed or ()),
        timeout_seconds=settings.delivery_timeout_seconds,
    )
