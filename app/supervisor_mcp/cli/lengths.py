"""Times that are typed as a length from now: `30m`, `2h`, `1d`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

LENGTH = re.compile(r"([1-9][0-9]{0,5})([smhd])")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def from_now(length: str) -> str | None:
    """The time that is this long from now; None for what is not a length."""
    found = LENGTH.fullmatch(length)
    if not found:
        return None
    return (datetime.now(UTC) + timedelta(**{UNITS[found[2]]: int(found[1])})).isoformat()


def time_of(given: str | None) -> str | None:
    """The time that a length from now leads to; what is not a length as it is given."""
    return given and (from_now(given) or given)
