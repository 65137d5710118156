"""Times, lengths of time and percentages: short on a terminal, as numbers elsewhere."""

from __future__ import annotations

from datetime import UTC, datetime

from supervisor_mcp.cli import console

# Size in seconds, name, and from which number on the next unit is used.
UNITS = ((1, "s", 60), (60, "min", 60), (3_600, "h", 24))
DAY = 86_400
DIGITS = 3


def heading(name: str, unit: str) -> str:
    """The name of a column or measure whose unit is `seconds` or `percent`.

    `budget left` and `uptime %` on a terminal, `budget_left_seconds` elsewhere.
    """
    if console.is_terminal():
        return f"{name} %" if unit == "percent" else name
    return f"{name} {unit}".replace(" ", "_")


def counted(number: int, name: str) -> str:
    """A number of things with the name of one: `1 alert`, `2 alerts`."""
    return f"{number:,} {name}" if number == 1 else f"{number:,} {name}s"


def some_of(number: int, total: int, name: str) -> str:
    """A part of some things, and a verb: `1 of 2 rules is`, `2 of 2 rules are`."""
    return f"{number:,} of {counted(total, name)} {'is' if number == 1 else 'are'}"


def percent(share: float | None) -> float | None:
    """A percentage with three digits, cut rather than rounded: 99.9996 is not 100."""
    from decimal import ROUND_FLOOR, Decimal

    if share is None:
        return None
    return _number(float(Decimal(str(share)).quantize(Decimal(10) ** -DIGITS, ROUND_FLOOR)))


def seconds(length: float | None) -> object:
    """A length of time: with its unit on a terminal, in seconds elsewhere."""
    if length is None or console.is_terminal():
        return duration(length)
    return _number(round(length, DIGITS))


def moment(written: str | None) -> str | None:
    """A time of the service: `2026-11-25 14:13 UTC` on a terminal, as it is elsewhere."""
    if written is None or not console.is_terminal():
        return written
    return f"{_read(written):%Y-%m-%d %H:%M} UTC"


def age(written: str | None, now: datetime | None = None) -> str | None:
    """How long a time is ago, in one unit: `12 s ago` on a terminal; the time itself elsewhere."""
    passed = elapsed(written, now)
    return passed if passed == written else f"{passed} ago"


def elapsed(written: str | None, now: datetime | None = None) -> str | None:
    """How long something has lasted since a time: `12 s` on a terminal; the time elsewhere."""
    if written is None or not console.is_terminal():
        return written
    # The clock of the service can be ahead of this one.
    passed = max(0, int(((now or datetime.now(UTC)) - _read(written)).total_seconds()))
    for size, unit, limit in UNITS:
        if passed // size < limit:
            return f"{passed // size} {unit}"
    return f"{passed // DAY} d"


def duration(length: float | None) -> str | None:
    """A length of time in its largest unit, with at most one digit after the point: `4.2 h`."""
    if length is None:
        return None
    if abs(length) < 1:
        return f"{_number(round(length, DIGITS))} s"
    for size, unit, limit in UNITS:
        shown = round(length / size, 1)
        if abs(shown) < limit:
            return f"{_number(shown)} {unit}"
    return f"{_number(round(length / DAY, 1)):,} d"


def _read(written: str) -> datetime:
    return datetime.fromisoformat(written).astimezone(UTC)


def _number(value: float) -> float:
    """Without the `.0` of a whole number."""
    return int(value) if value == int(value) else value
