"""Figures of random histories agree with a count of every second."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Connection
from psycopg.types.range import TimestamptzRange

from tests.sql.calls import Json, ask
from tests.sql.histories import add_server

# Six days around which clocks change; a day of Apia does not exist, and in Havana, where clocks are
# put back at 1:00, midnight comes twice.
ZONES = {
    "Europe/Berlin": datetime(2025, 3, 27, tzinfo=UTC),
    "America/New_York": datetime(2025, 10, 30, tzinfo=UTC),
    "America/Havana": datetime(2025, 10, 30, tzinfo=UTC),
    "Australia/Lord_Howe": datetime(2025, 4, 3, tzinfo=UTC),
    "America/Santiago": datetime(2025, 9, 4, tzinfo=UTC),
    "Pacific/Apia": datetime(2011, 12, 28, tzinfo=UTC),
    "Asia/Kolkata": datetime(2025, 6, 1, tzinfo=UTC),
    "UTC": datetime(2025, 6, 1, tzinfo=UTC),
}
SECONDS = 6 * 86_400
QUARTER = 900
UNKNOWN, UP, DEGRADED, DOWN, MAINTENANCE = range(5)
NAMES = ("unknown", "up", "degraded", "down", "maintenance")
SIGNALS = ("probe", "traffic", "report", "keepalive")
Span = tuple[int, int]


@dataclass
class History:
    """What happened to one server, in seconds after the first one."""

    zone: str
    signals: dict[str, list[tuple[int, Span]]]
    # The state of each signal that still lasts: (status, since, expires_at).
    present: dict[str, tuple[int, int, int]]
    uptime: list[Span]
    # (during, recorded)
    maintenance: list[tuple[Span, Span]]
    registered: int
    deregistered: int | None
    asked: Span
    as_of: int
    now: int
    origin: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.origin = ZONES[self.zone]

    def instant(self, second: int) -> datetime:
        return self.origin + timedelta(seconds=second)

    def during(self, span: Span) -> TimestamptzRange:
        return TimestamptzRange(self.instant(span[0]), self.instant(span[1]))


seconds = st.integers(0, SECONDS)
spans = st.tuples(seconds, seconds).map(lambda s: (min(s), max(s))).filter(lambda s: s[0] < s[1])


@st.composite
def disjoint(draw: st.DrawFn, most: int) -> list[Span]:
    """Spans in order, some of which touch."""
    cuts = sorted(draw(st.sets(seconds, max_size=most)))
    return [span for span in pairwise(cuts) if draw(st.integers(0, 3))]


@st.composite
def histories(draw: st.DrawFn) -> History:
    now = draw(st.integers(SECONDS // 2, SECONDS))
    signals = {}
    present = {}
    for signal in SIGNALS:
        known = [UP] if signal == "keepalive" else [UP, DEGRADED, DOWN]
        parts = draw(disjoint(8))
        signals[signal] = [(draw(st.sampled_from(known)), span) for span in parts]
        end = max((span[1] for span in parts), default=0)
        if end < SECONDS and draw(st.booleans()):
            since = draw(st.integers(end, SECONDS - 1))
            present[signal] = (
                draw(st.sampled_from(known)),
                since,
                draw(st.integers(since + 1, SECONDS)),
            )
    registered = draw(st.one_of(st.just(0), seconds))
    asked = draw(spans)
    return History(
        zone=draw(st.sampled_from(sorted(ZONES))),
        signals=signals,
        present=present,
        uptime=draw(st.one_of(st.just([(0, SECONDS)]), disjoint(6))),
        maintenance=draw(st.lists(st.tuples(spans, spans), max_size=4)),
        registered=registered,
        deregistered=draw(st.one_of(st.none(), st.integers(registered, SECONDS))),
        asked=asked,
        # Clocks of clients may be 5 minutes ahead.
        as_of=draw(st.integers(asked[0] + 1, max(now, asked[0] + 1) + 300)),
        now=max(now, asked[0] + 1),
    )


def write(db: Connection, history: History) -> None:
    """Store the history as the tables hold it."""
    server = add_server(
        db,
        registered=history.instant(history.registered),
        deregistered=None
        if history.deregistered is None
        else history.instant(history.deregistered),
        target=99.5,
    )
    for signal, parts in history.signals.items():
        for status, span in parts:
            db.execute(
                "insert into data.health_interval values (%s, %s, %s, %s)",
                [server, signal, NAMES[status], history.during(span)],
            )
    for signal, (status, since, expires) in history.present.items():
        start = history.instant(since)
        db.execute(
            "insert into data.health_state"
            " (server_id, signal, status, since, last_at, expires_at, recent)"
            " values (%s, %s, %s, %s, %s, %s, '{}')",
            [server, signal, NAMES[status], start, start, history.instant(expires)],
        )
    for span in history.uptime:
        db.execute("insert into data.service_uptime values (%s)", [history.during(span)])
    for number, (during, recorded) in enumerate(history.maintenance):
        db.execute(
            "insert into data.maintenance values (%s, %s, %s, 'ann', 'update', %s)",
            [f"m-{number}", server, history.during(during), history.during(recorded)],
        )


def count(history: History) -> tuple[Span, bytearray]:
    """The span in which the server was registered, and the status of every second."""
    known_at = min(history.as_of, history.now)
    begin = max(history.asked[0], history.registered)
    end = min(
        history.asked[1],
        known_at,
        SECONDS if history.deregistered is None else history.deregistered,
    )
    every = [part for parts in history.signals.values() for part in parts]
    every += [
        (status, (since, min(expires, history.now)))
        for status, since, expires in history.present.values()
    ]
    line = bytearray(SECONDS)
    for wanted in (UP, DEGRADED, DOWN):
        for status, span in every:
            if status == wanted:
                paint(line, span, status)
    running = bytearray(SECONDS)
    for span in history.uptime:
        paint(running, span, 1)
    newest = max((span[1] for span in history.uptime), default=None)
    if newest is not None and known_at - 30 < newest < known_at:
        paint(running, (newest, known_at), 1)
    line = bytearray(
        status if runs else UNKNOWN for status, runs in zip(line, running, strict=True)
    )
    for during, recorded in history.maintenance:
        if recorded[0] <= known_at < recorded[1]:
            paint(line, during, MAINTENANCE)
    return (begin, end), line


def paint(line: bytearray, span: Span, value: int) -> None:
    begin, end = span
    if begin < end:
        line[begin:end] = bytes([value]) * (end - begin)


def by_status(line: bytes) -> dict[str, int]:
    return {name: line.count(status) for status, name in enumerate(NAMES)}


def share(part: int, whole: int) -> object:
    return pytest.approx(100 * part / whole, rel=1e-12) if whole else None


def uptime(found: dict[str, int]) -> object:
    good = found["up"] + found["degraded"]
    return share(good, good + found["down"])


def outages(line: bytes) -> Json:
    """Runs of down, and the mean of those after which the next second is up or degraded."""
    runs = [(status, len(list(run))) for status, run in groupby(line)]
    followed = [*(status for status, _ in runs), UNKNOWN][1:]
    lengths = [length for status, length in runs if status == DOWN]
    recovered = [
        length
        for (status, length), after in zip(runs, followed, strict=True)
        if status == DOWN and after in {UP, DEGRADED}
    ]
    return {
        "count": len(lengths),
        "longest_seconds": max(lengths, default=None),
        "mean_seconds_to_recover": pytest.approx(sum(recovered) / len(recovered), abs=1e-6)
        if recovered
        else None,
    }


def days(history: History, span: Span, line: bytes) -> list[Json]:
    """Every second of each local day; offsets and midnights are multiples of a quarter hour."""
    zone = ZoneInfo(history.zone)
    found: dict[str, bytearray] = {}
    for start in range(span[0] - span[0] % QUARTER, span[1], QUARTER):
        day = history.instant(start).astimezone(zone).date().isoformat()
        part = line[max(start, span[0]) : min(start + QUARTER, span[1])]
        found.setdefault(day, bytearray()).extend(part)
    return [
        {
            "day": day,
            "seconds": (counted := by_status(bytes(part))),
            "uptime_percent": uptime(counted),
        }
        for day, part in found.items()
    ]


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(history=histories())
def test_figures_are_those_of_a_count_of_every_second(db: Connection, history: History) -> None:
    with db.transaction(force_rollback=True):
        write(db, history)
        answer: Json = ask(
            db,
            "select api.query_sla(null, %s, %s, 'acme/search', %s, %s, null, null, %s)",
            history.instant(history.asked[0]),
            history.instant(history.asked[1]),
            history.zone,
            history.instant(history.as_of),
            history.instant(history.now),
        )
    (begin, end), line = count(history)
    part = bytes(line[begin:end]) if begin < end else b""
    found = by_status(part)
    known = found["up"] + found["degraded"] + found["down"]
    (item,) = answer["items"]

    assert item["seconds"] == found
    assert sum(item["seconds"].values()) == max(end - begin, 0)
    assert item["uptime_percent"] == uptime(found)
    assert item["coverage_percent"] == share(known, len(part) - found["maintenance"])
    assert item["outages"] == outages(part)
    assert item["error_budget"] == {
        "total_seconds": pytest.approx(known * 0.005),
        "used_seconds": found["down"],
        "left_seconds": pytest.approx(known * 0.005 - found["down"]),
        "left_percent": pytest.approx(100 - 100 * found["down"] / (known * 0.005))
        if known
        else None,
    }
    assert item["days"] == (days(history, (begin, end), bytes(line)) if part else [])
