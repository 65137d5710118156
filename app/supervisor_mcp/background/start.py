"""Starting the loops of a web process, and stopping them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

from supervisor_mcp.background.addresses import Allowed
from supervisor_mcp.background.loop import Loop
from supervisor_mcp.background.probe import Prober
from supervisor_mcp.background.prober import STEP_SECONDS, Probes
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

    uptime = Loop("uptime", record_uptime, interval_seconds=UPTIME_SECONDS)
    probes = _probes(context, settings, clock) if settings.probe else None
    prober = Loop("prober", probes.step, interval_seconds=STEP_SECONDS) if probes else None
    uptime.start()
    if prober is not None:
        prober.start()
    try:
        yield
    finally:
        await uptime.stop()
        if prober is not None:
            await prober.stop()
        if probes is not None:
            await probes.stop()


def _probes(context: Context, settings: Settings, clock: Clock) -> Probes:
    prober = Prober(
        Allowed(settings.probe_allowed or ()),
        timeout_seconds=settings.probe_timeout_seconds,
        slow_seconds=settings.probe_slow_seconds,
    )
    return Probes(context, prober, clock, concurrency=settings.probe_concurrency)
