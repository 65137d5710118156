"""The time, read in one place so that everything below takes it as an argument."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def now() -> datetime:
    """The present instant, UTC."""
    return datetime.now(UTC)
