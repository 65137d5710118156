from __future__ import annotations

from typing import Any

import pytest

from supervisor_mcp.cli.day_bars import day_bars, show_days

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


@pytest.mark.parametrize("width", [0, 1])
def test_the_narrowest_terminal_has_a_line_for_each_day(width: int) -> None:
    assert drawn(day(1, 100, up=1), day(2, 50, up=1, down=1), width=width) == [
        "2026-03-01",
        "█",
        "2026-03-02",
        "▃",
        "█ no time down, ▃ below the target",
    ]


def test_a_day_at_its_target_is_within_it() -> None:
    assert drawn(day(1, 99.0, up=99, down=1))[1] == "▆"


def test_days_are_a_table_without_a_terminal_and_bars_on_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    item = {"days": [day(1, 99.5, up=99.5, down=0.5)], "target_percent": 99.0}
    monkeypatch.setenv("TTY_COMPATIBLE", "0")
    show_days(item)
    assert capsys.readouterr().out == (
        "day\tuptime_percent\tup_seconds\tdegraded_seconds\tdown_seconds\tunknown_seconds"
        "\tmaintenance_seconds\n"
        "2026-03-01\t99.5\t99.5\t0\t0.5\t0\t0\n"
    )
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    show_days(item)
    show_days({**item, "days": []})
    assert capsys.readouterr().out == "2026-03-01\n▆\n▆ down, within the target\n"
