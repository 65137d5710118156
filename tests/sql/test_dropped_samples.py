"""What is answered beyond the retention of samples, from hours and days."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from psycopg import Connection

from tests.sql.calls import Json, ask, ingest_metrics, metric, query_agg
from tests.support.rollups import roll_up

SERIES = "select api.query_metrics(%s, null, null, %s, %s, %s, null, %s)"
DROP = "select drop_chunks(%s, older_than => %s::timestamptz)"


@pytest.fixture(scope="module")
def later(lasting: Connection, ages: Iterator[datetime]) -> datetime:
    """An hour and a bit later than 80 days of samples, of which the first 40 are rolled up only."""
    now = next(ages)
    name = f"cpu_{now:%Y%j}"
    times = [now - timedelta(minutes=20 + 30 * n) for n in range(80 * 48)]
    for n in range(0, len(times), 1000):
        items = [
            metric(name.replace("cpu", kind), value=80 * 48 - at, type=type_, ts=ts.isoformat())
            for kind, type_ in (("cpu", "gauge"), ("visits", "counter"))
            for at, ts in enumerate(times[n : n + 1000], start=n)
        ]
        ingest_metrics(lasting, items, now=now)
    once = (now - timedelta(days=60) + timedelta(hours=1)).isoformat()
    ingest_metrics(lasting, metric(name.replace("cpu", "once"), ts=once), now=now)
    roll_up(lasting, now)
    lasting.execute("call internal.refresh_late(0, '{}')")
    lasting.execute(DROP, ["data.sample", now - timedelta(days=40)])
    return now


def plot(conn: Connection, now: datetime, days: int, step: str | None, **more: object) -> Json:
    answer: Json = ask(
        conn,
        SERIES,
        f"{more.get('kind', 'cpu')}_{now:%Y%j}",
        now - timedelta(days=days),
        more.get("end", now - timedelta(days=days - 1)),
        step,
        now,
    )
    return answer


def length(answer: Json) -> timedelta:
    """Of the time that a chart shows."""
    return datetime.fromisoformat(answer["to"]) - datetime.fromisoformat(answer["from"])


def counts(answer: Json) -> int:
    return sum(point[1] for series in answer["series"] for point in series["points"])


def test_beyond_samples_and_hours_a_chart_has_the_finest_points_that_are_left(
    lasting: Connection, later: datetime
) -> None:
    # Samples are there: any step.
    recent = plot(lasting, later, 3, None)
    assert (recent["step_seconds"], recent["resolution"], counts(recent)) == (300, "raw", 48)
    assert plot(lasting, later, 3, "2h")["resolution"] == "1h"
    assert plot(lasting, later, 3, "1d")["resolution"] == "1d"

    # Only hours and days: steps are rounded up to hours, and nothing is lost at the ends.
    for step, seconds in ((None, 3600), ("1m", 3600), ("90m", 7200), ("2h", 7200)):
        old = plot(lasting, later, 60, step)
        assert (old["step_seconds"], old["resolution"]) == (seconds, "1h")
        assert datetime.fromisoformat(old["to"]) >= later - timedelta(days=59)
        assert counts(old) == length(old) / timedelta(minutes=30)
    assert plot(lasting, later, 60, "1d")["resolution"] == "1d"
    both = plot(lasting, later, 60, "5h", end=later)
    assert (both["resolution"], counts(both) >= 60 * 48) == ("1h", True)

    # A counter grows by one every half an hour, at the edges too.
    (line,) = plot(lasting, later, 60, "1h", kind="visits")["series"]
    assert [point[6] for point in line["points"]] == pytest.approx([2 / 3600] * len(line["points"]))

    # Only days.
    with lasting.transaction(force_rollback=True):
        lasting.execute(DROP, ["data.sample_1h", later + timedelta(days=1)])
        for age, step, seconds in ((60, None, 86_400), (61, "1h", 86_400), (60, "36h", 172_800)):
            days = plot(lasting, later, age, step)
            assert (days["step_seconds"], days["resolution"]) == (seconds, "1d")
            assert counts(days) == length(days) / timedelta(minutes=30)


def test_what_has_data_only_on_the_first_day_of_a_chart_has_its_point(
    lasting: Connection, later: datetime
) -> None:
    answer = plot(lasting, later, 60, None, kind="once")

    assert (answer["step_seconds"], counts(answer)) == (3600, 1)


def test_beyond_samples_the_window_before_starts_on_an_hour(
    lasting: Connection, later: datetime
) -> None:
    name = f"cpu_{later:%Y%j}"
    answer = query_agg(lasting, name, "30d", now=later)
    start, before = (datetime.fromisoformat(part["from"]) for part in (answer, answer["previous"]))
    exact = start - (later - start)
    assert before == before.replace(minute=0, second=0, microsecond=0)
    assert abs(before - exact) <= timedelta(minutes=30)
    assert answer["previous"]["count"] == (start - before) / timedelta(minutes=30)
    assert answer["previous"]["rate_per_second"] == pytest.approx(1 / 1800)

    # Samples of the window before are all there.
    recent = query_agg(lasting, name, "7d", now=later)
    start, before = (datetime.fromisoformat(part["from"]) for part in (recent, recent["previous"]))
    assert start - before == later - start
