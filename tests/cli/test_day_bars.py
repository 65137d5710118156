from __future__ import annotations

from typing import Any

from supervisor_mcp.cli.day_bars import day_bars

NOTHING = {"up": 0, "degraded": 0, "down": 0, "unknown": 0, "maintenance": 0}


def day(number: int, uptime: float | None, **seconds: float) -> dict[str, Any]:
    return {
        "day": f"2026-03-{number:02}",
        "uptime_percent": uptime,
        "seconds": {**NOTHING, **seconds},
    }


def drawn(*days: dict[str, Any], width: int = 80) -> list[str]:
    return [line.plain for line in day_bars(days, 99.0, width)]


def test_a_day_has_the_bar_of_its_uptime() -> None:
    assert drawn(
        day(1, 100, up=86_400),
        day(2, 100, degraded=86_400),
        day(3, 99.5, up=99.5, down=0.5),
        day(4, 50, up=1, down=1),
        day(5, None, maintenance=5, unknown=5),
        day(6, None, unknown=86_400),
    ) == [
        "2026-03-01 to 2026-03-06",
        "██▆▃m·",
        "█ no time down, ▆ down, within the target, ▃ below the target, m maintenance, · unknown",
    ]


def test_only_the_bars_that_are_shown_are_explained() -> None:
    assert drawn(day(1, 100, up=1)) == ["2026-03-01", "█", "█ no time down"]


def test_more_days_than_fit_continue_in_the_next_line() -> None:
    assert drawn(*(day(n, 100, up=1) for n in range(1, 6)), width=3)[:4] == [
        "2026-03-01 to 2026-03-03",
        "███",
        "2026-03-04 to 2026-03-05",
        "██",
    ]


def test_no_days_have_no_bars() -> None:
    assert drawn() == []
