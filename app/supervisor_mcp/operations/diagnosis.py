"""The diagnosis of the database and the cache: what is wrong, and what repairs it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.query import Query


class DoctorQuery(Query, frozen=True):
    """There is nothing to choose."""


class Versions(Struct):
    """Versions of what runs."""

    release: str
    postgresql: str
    timescaledb: str


class Finding(Struct):
    """What a check found, and the statement that repairs or shows it."""

    name: str
    status: Literal["warning", "error"]
    detail: str
    repair: str


class Diagnosis(Struct):
    """What is wrong with the database or the cache; checked are the checks that were made."""

    status: Literal["ok", "warning", "error"]
    versions: Versions
    checked: list[str]
    findings: list[Finding]


async def doctor(context: Context, now: datetime) -> bytes:
    """A `Diagnosis` as JSON. Raises `Problem`."""
    return await context.reads.read_json(
        "doctor", {"now": now, "cache": await context.cache.fault()}
    )
