"""Uptime of servers, beside a model that looks at one hour after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from tests.sql.calls import Json
from tests.sql.histories import (
    START,
    add_past,
    add_present,
    add_server,
    add_uptime,
    at,
    plan,
    query_sla,
    sla_of,
)

NOW = 60
HOUR = 3600
STATUSES = ["up", "degraded", "down"]
SIGNALS = ("probe", "report")
# Worst last; what is not known counts least.
RANK = {None: 0, "up": 1, "degraded": 2, "down": 3}

Stretch = tuple[int, int]


@dataclass(frozen=True)
class History:
    """What happened to a server, in whole hours after START."""

    registered: Stretch
    parts: dict[str, list[tuple[str, int, int]]]
    present: tuple[str, int, int] | None
    maintenance: list[Stretch]

    def status(self, hour: int, running: Iterable[Stretch]) -> str:
        """The status that counts for an hour."""
        if within(hour, self.maintenance):
            return "maintenance"
        if not within(hour, running):
            return "unknown"
        parts = [part for parts in self.parts.values() for part in parts]
        if self.present is not None:
            parts.append(self.present)
        said = [status for status, begin, end in parts if begin <= hour < end]
        return max(said, key=RANK.__getitem__, default=None) or "unknown"


def within(hour: int, stretches: Iterable[Stretch]) -> bool:
    return any(begin <= hour < end for begin, end in stretches)


def laid_out(lengths: Iterable[tuple[str | None, int]]) -> Iterator[tuple[str, int, int]]:
    """One after the other; what is None leaves a gap."""
    begin = 0
    for value, length in lengths:
        if value is not None:
            yield value, begin, begin + length
        begin += length


def stretches(rng: Random, most: int) -> list[Stretch]:
    lengths = [(rng.choice([None, "on"]), rng.randint(1, 30)) for _ in range(rng.randint(0, most))]
    return [(begin, end) for _, begin, end in laid_out(lengths)]


def random_history(rng: Random) -> History:
    """Most are long; small examples, as hypothesis draws them, have little to measure."""
    since = rng.randint(0, NOW - 1)
    present = (rng.choice(STATUSES), since, rng.randint(since + 1, NOW + 5))
    registered = rng.randint(0, 20)
    parts = {
        signal: list(
            laid_out(
                (rng.choice([*STATUSES, "down", None]), rng.randint(1, 12))
                for _ in range(rng.choice([0, 6, 8]))
            )
        )
        for signal in SIGNALS
    }
    return History(
        (registered, rng.choice([NOW, 100, registered + 15])),
        parts,
        rng.choice([None, present]),
        rng.choice([[], stretches(rng, 4)]),
    )


def write(db: Connection, name: str, history: History) -> None:
    begin, end = history.registered
    server = add_server(db, name, registered=at(begin), target=97.5)
    for signal, parts in history.parts.items():
        add_past(db, server, signal, parts)
    if history.present is not None:
        add_present(db, server, "keepalive", *history.present)
    for number, (first, last) in enumerate(history.maintenance):
        plan(db, first, last, servers=[name], id_=f"{name[-1]}{number}", now=NOW)
    if end < NOW:
        ended = "update data.server set deregistered_at = %s where server_id = %s"
        db.execute(ended, [at(end), server])


def expected(statuses: dict[int, str]) -> Json:
    """The figures of the hours of a range."""
    runs = [(status, len([*hours])) for status, hours in groupby(statuses.values())]
    outages = [
        (length, runs[place + 1][0] if place + 1 < len(runs) else "unknown")
        for place, (status, length) in enumerate(runs)
        if status == "down"
    ]
    recovered = [length for length, after in outages if after in {"up", "degraded"}]
    counts = Counter(statuses.values())
    known = counts["up"] + counts["degraded"] + counts["down"]
    budget = known * HOUR * 0.025
    return {
        "seconds": seconds(statuses.values()),
        "uptime_percent": share(counts["up"] + counts["degraded"], known),
        "coverage_percent": share(known, len(statuses) - counts["maintenance"]),
        "outages": {
            "count": len(outages),
            "longest_seconds": max((length * HOUR for length, _ in outages), default=None),
            "mean_seconds_to_recover": pytest.approx(sum(recovered) * HOUR / len(recovered))
            if recovered
            else None,
        },
        "error_budget": {
            "total_seconds": pytest.approx(budget),
            "used_seconds": counts["down"] * HOUR,
            "left_seconds": pytest.approx(budget - counts["down"] * HOUR),
            "left_percent": share(budget - counts["down"] * HOUR, budget),
        },
    }


def seconds(statuses: Iterable[str]) -> Json:
    counts = Counter(statuses)
    return {name: counts[name] * HOUR for name in [*STATUSES, "unknown", "maintenance"]}


def share(part: float, whole: float) -> object:
    return pytest.approx(100 * part / whole) if whole else None


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_the_figures_are_those_of_the_hours(db: Connection, seed: int) -> None:
    rng = Random(seed)
    known = [random_history(rng) for _ in range(2)]
    running = rng.choice([[(0, 100)], [*stretches(rng, 3), (90, 100)]])
    begin, end = rng.randint(0, 30), rng.randint(31, NOW + 10)
    offset = rng.choice([0, 5, -11])
    # The names of these time zones have the other sign.
    timezone = f"Etc/GMT{-offset:+d}" if offset else "UTC"
    with db.transaction(force_rollback=True):
        add_uptime(db, *running)
        for number, history in enumerate(known):
            write(db, f"acme/s{number}", history)
        asked: dict[str, Any] = {"begin": begin, "end": end, "now": NOW, "timezone": timezone}
        items = query_sla(db, **asked)["items"]
        single = [sla_of(db, f"acme/s{number}", **asked) for number in range(len(known))]
    listed = {item["name"]: item for item in items}
    for number, (history, alone) in enumerate(zip(known, single, strict=True)):
        first, last = history.registered
        statuses = {
            hour: history.status(hour, running)
            for hour in range(max(begin, first), min(end, NOW, last))
        }
        figures = expected(statuses)
        assert {name: alone[name] for name in figures} == figures
        days = groupby(statuses, lambda hour: (START + timedelta(hours=hour + offset)).date())
        assert [(bar["day"], bar["seconds"]) for bar in alone["days"]] == [
            (day.isoformat(), seconds(statuses[hour] for hour in hours)) for day, hours in days
        ]
        if statuses:
            item = listed[f"acme/s{number}"]
            assert item == {name: alone[name] for name in item}
            assert (alone["from"], alone["to"]) == (
                at(min(statuses)).isoformat(),
                at(max(statuses) + 1).isoformat(),
            )
