"""The job that calls wait for on the embedded database, whose one backend runs both."""

from __future__ import annotations

import time
from typing import Any, Final

import msgspec
from psycopg.errors import Diagnostic

from supervisor_mcp.errors import Problem

# The embedded database says it once in half a second to every connection that waits.
JOB_HOLDS: Final = "01SV1"
RECENT_SECONDS = 2.0
EXPLAINED: Final = ("unavailable", "too_slow")


class Blocking:
    """What connections heard while they waited."""

    def __init__(self) -> None:
        self._job: dict[str, Any] = {}
        self._heard_at = 0.0

    def hear(self, notice: Diagnostic) -> None:
        """Keep a notice that says which job holds the database."""
        if notice.sqlstate == JOB_HOLDS and notice.message_detail:
            self._job = msgspec.json.decode(notice.message_detail, type=dict[str, Any])
            self._heard_at = time.monotonic()

    def explain(self, problem: Problem) -> Problem:
        """The problem of a call that got no answer, with the job that it has waited for, if any."""
        recent = self._job and time.monotonic() - self._heard_at < RECENT_SECONDS
        if not recent or problem.slug not in EXPLAINED:
            return problem
        job, seconds = self._job["job"], self._job["job_seconds"]
        return Problem(
            problem.slug,
            f"{problem.detail}: job {job} has held the database for {seconds} s",
            hint="Send the request again. A native TimescaleDB server runs jobs beside requests.",
            params={**problem.params, **self._job},
        )
