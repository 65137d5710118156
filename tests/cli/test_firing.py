"""Alerts of a back-test as lines of characters."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from supervisor_mcp.cli.firing import firing_lines, labels_line

START = datetime(2026, 3, 1, tzinfo=UTC)


def transition(hour: float, to_state: str, **labels: str) -> dict[str, Any]:
    """A change of the state of an alert, hours after the start."""
    at = (START + timedelta(hours=hour)).isoformat()
    return {"at": at, "to_state": to_state, "labels": labels}


def drawn(*transitions: dict[str, Any], hours: int = 10, width: int = 10) -> list[str]:
    """The lines of a back-test, without the last, which says what they mean."""
    ends = {"from": START.isoformat(), "to": (START + timedelta(hours=hours)).isoformat()}
    *lines, legend = firing_lines({**ends, "transitions": list(transitions)}, width)
    assert legend.plain == "█ firing, ▒ pending"
    return [line.plain for line in lines]


def test_each_alert_is_a_line_under_its_labels() -> None:
    assert drawn(
        transition(1, "pending", name="a", zone="eu"),
        transition(2, "pending", name="b"),
        transition(3, "firing", name="a", zone="eu"),
        transition(4, "inactive", name="b"),
        transition(7, "inactive", name="a", zone="eu"),
        transition(8, "firing", name="a", zone="eu"),
    ) == [
        *("name=a, zone=eu", "·▒▒████·██"),
        *("name=b", "··▒▒······"),
    ]


def test_a_character_shows_the_strongest_state_of_its_time() -> None:
    # Each has a character at least, also at the end.
    assert drawn(
        transition(0.2, "firing", name="a"),
        transition(0.3, "pending", name="a"),
        transition(0.9, "inactive", name="a"),
        transition(3.5, "pending", name="a"),
        transition(3.6, "inactive", name="a"),
        transition(10, "firing", name="a"),
    ) == ["name=a", "█··▒·····█"]


def test_the_first_20_alerts_are_drawn() -> None:
    alerts = [transition(1, "firing", name=f"a{number:02}") for number in range(21)]
    lines = drawn(*alerts)
    assert lines[::2] == [f"name=a{number:02}" for number in range(20)]
    assert set(lines[1::2]) == {"·█████████"}


def test_states_have_their_colors() -> None:
    result = {
        "from": START.isoformat(),
        "to": (START + timedelta(hours=3)).isoformat(),
        "transitions": [transition(1, "pending", name="a"), transition(2, "firing", name="a")],
    }
    _, line, _ = firing_lines(result, 3)
    assert [span.style for span in line.spans] == ["dim", "yellow", "red"]


def test_labels_are_in_the_order_of_their_names() -> None:
    assert labels_line({"severity": "warning", "alertname": "queue_long"}) == (
        "alertname=queue_long, severity=warning"
    )
