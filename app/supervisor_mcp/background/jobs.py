"""Jobs of the database that a crash or a failover has cut off: made to run again.

TimescaleDB puts off their next run by minutes, and by more whenever any job is altered.
"""

from __future__ import annotations

import logging

import msgspec

from supervisor_mcp.db import Database
from supervisor_mcp.operations.clock import Clock

logger = logging.getLogger(__name__)

STEP_SECONDS = 30.0


class _Repaired(msgspec.Struct):
    relation: str
    policy: str
    started_at: str


class Jobs:
    """Every process looks; the database gives each job to one."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def step(self) -> None:
        """Repair what has to be. Raises `Problem`."""
        (answer,) = await self._database.call_in_background(
            "repair_jobs", {"now": self._clock()}, read_only=False
        )
        for job in msgspec.json.decode(answer, type=list[_Repaired]):
            logger.warning(
                "job %s of %s was cut off in its run of %s, as by a crash or a failover of the"
                " database: it runs again now",
                job.policy,
                job.relation,
                job.started_at,
            )
