"""Series for charts: points, gaps, steps."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from psycopg import Connection

from tests.sql.calls import NOW, Json, ago, ask, histogram, ingest_metrics, metric, refused
from tests.sql.registry import NAME, register, server_json

# The first moment that can be written, and a later one.
FIRST, NEXT = datetime(1, 1, 1, tzinfo=UTC), datetime(1, 3, 1, tzinfo=UTC)
CALL = "select api.query_metrics(%s, %s, %s::jsonb, %s, %s, %s, %s, %s)"


def query(
    db: Connection,
    name: str = "cpu",
    *,
    source: str | None = None,
    labels: str | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    step: str | None = None,
    split_by: str | None = None,
) -> Json:
    answer: Json = ask(db, CALL, name, source, labels, start, end, step, split_by, NOW)
    return answer


def test_gaps_are_filled_with_nulls(db: Connection) -> None:
    ingest_metrics(db, [metric(value=2, ts=ago(minutes=50)), metric(value=4, ts=ago(minutes=49.5))])
    ingest_metrics(db, metric(value=9, ts=ago(minutes=20)))

    start = NOW - timedelta(hours=1)
    (series,) = query(db, start=start, step="10m")["series"]
    assert [point[1:6] for point in series["points"]] == [
        [0, None, None, None, None],
        [2, 3, 2, 4, 4],
        [0, None, None, None, None],
        [0, None, None, None, None],
        [1, 9, 9, 9, 9],
        [0, None, None, None, None],
        [0, None, None, None, None],
    ]
    assert [point[6] for point in series["points"][:3]] == [0, pytest.approx(2 / 600), 0]


@pytest.mark.parametrize("step", ["3h", "2d"])
def test_a_point_of_several_buckets_has_the_ends_of_all_of_them(db: Connection, step: str) -> None:
    hours = 1 if step == "3h" else 24
    start = NOW.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=6)
    start -= timedelta(days=(start - datetime(2000, 1, 3, tzinfo=UTC)).days % 2)
    values = [(0, 5.0), (0, 9.0), (1, 2.0), (1, 4.0)]
    ingest_metrics(
        db,
        [
            metric(value=value, ts=(start + timedelta(hours=hours * place, minutes=n)).isoformat())
            for n, (place, value) in enumerate(values)
        ],
    )

    end = start + timedelta(hours=3 * hours)
    (series,) = query(db, start=start, end=end, step=step)["series"]
    assert series["points"][0][1:6] == [4, 5, 2, 9, 4]


@pytest.mark.parametrize(
    ("filters", "hint"),
    [
        (
            {"labels": '{"regoin": "eu", "zone": "9"}'},
            'No series has the label "regoin". Did you mean "region"? The labels are region, zone.'
            ' No series has the value "9" of the label "zone". The values are 1, 2.',
        ),
        (
            {"labels": '{"region": "eu-wset"}', "split_by": "version"},
            'No series has the value "eu-wset" of the label "region". Did you mean "eu-west"?'
            " The values are eu-west, us-east.",
        ),
        (
            {"labels": '{"region": "eu-west", "zone": "2"}'},
            "No series has all of these labels. Leave out one of them.",
        ),
        (
            {"labels": json.dumps({"x" * 101: "1", "zone": "y" * 101})},
            f'No series has the label "{"x" * 100}". The labels are region, zone.'
            f' No series has the value "{"y" * 100}" of the label "zone". The values are 1, 2.',
        ),
        (
            {"source": "db", "labels": '{"zone": "1"}'},
            'No series has the label "zone". The series have no labels.',
        ),
        (
            {"source": "idle"},
            "The source has not sent this kind. query_agg (GET /query/agg) with kind=cpu and"
            " group_by=source lists its sources.",
        ),
        (
            {"start": NOW - timedelta(days=3), "end": NOW - timedelta(days=2)},
            "The series that match have no samples in this range. Send an earlier from or a later"
            " to.",
        ),
    ],
)
def test_where_no_series_is_found_a_hint_says_what_to_ask(
    db: Connection, filters: dict[str, Any], hint: str
) -> None:
    ingest_metrics(
        db,
        [
            metric(labels={"region": "eu-west", "zone": "1"}, ts=ago(minutes=5)),
            metric(labels={"region": "us-east", "zone": "2"}, ts=ago(minutes=5)),
            metric(source="db"),
            metric("other", source="idle"),
        ],
    )

    answer = query(db, **filters)
    assert (answer["series"], answer["hint"]) == ([], hint)
    assert "hint" not in query(db)


def test_every_step_from_start_to_end_has_one_point(db: Connection) -> None:
    ingest_metrics(db, [metric(ts=ago(hours=n)) for n in range(1, 50)])

    for step, seconds in (("15m", 900), ("1h", 3600), ("6h", 21600), ("1d", 86400)):
        answer = query(db, start=NOW - timedelta(days=2), step=step)
        (series,) = answer["series"]
        times = [datetime.fromisoformat(point[0]) for point in series["points"]]
        assert times[0] == datetime.fromisoformat(answer["from"])
        assert {b - a for a, b in pairwise(times)} == {timedelta(seconds=seconds)}
        assert NOW - timedelta(seconds=seconds) <= times[-1] < NOW
        assert sum(point[1] for point in series["points"]) == 48 + (
            times[0] <= NOW - timedelta(hours=49)
        )


def test_hours_and_minutes_agree(db: Connection) -> None:
    ingest_metrics(db, [metric(value=n % 7, ts=ago(minutes=n)) for n in range(1, 300)])

    start = datetime.fromisoformat("2025-06-15T08:00:00+00:00")
    (hours,) = query(db, start=start, step="1h")["series"]
    (minutes,) = query(db, start=start, step="30m")["series"]
    halves = [p[1] for p in minutes["points"]]
    assert [p[1] for p in hours["points"]] == [
        a + b for a, b in zip(halves[::2], halves[1::2], strict=True)
    ]


@pytest.mark.parametrize(
    ("step", "resolution"),
    [("30m", "raw"), ("90m", "raw"), ("1h", "1h"), ("5h", "1h"), ("1d", "1d"), ("3d", "1d")],
)
def test_a_series_says_what_its_points_are_computed_from(
    db: Connection, step: str, resolution: str
) -> None:
    ingest_metrics(db, metric(ts=ago(minutes=5)))

    assert query(db, step=step)["resolution"] == resolution


def test_a_counter_has_a_rate(db: Connection) -> None:
    values = [10, 70, 130, 20]
    ingest_metrics(
        db,
        [
            metric(value=value, type="counter", ts=f"2025-06-15T12:0{n}:00Z")
            for n, value in enumerate(values)
        ],
    )

    start = datetime.fromisoformat("2025-06-15T12:00:00+00:00")
    (series,) = query(db, start=start, end=start + timedelta(minutes=4), step="1m")["series"]
    assert [point[6] for point in series["points"]] == [1, 1, pytest.approx(20 / 60), None]


def test_an_equal_reading_in_the_next_step_is_no_reset(db: Connection) -> None:
    start = NOW.replace(minute=0, second=0, microsecond=0) - timedelta(hours=4)
    for step, seconds in (("1m", 60), ("1h", 3600)):
        name = f"visits_{step}"
        ingest_metrics(
            db,
            [
                metric(
                    name,
                    value=value,
                    type="counter",
                    ts=(start + timedelta(seconds=n * seconds)).isoformat(),
                )
                for n, value in enumerate([100, 100, 160])
            ],
        )

        end = start + timedelta(seconds=3 * seconds)
        (series,) = query(db, name, start=start, end=end, step=step)["series"]
        assert [point[6] for point in series["points"]] == [0, pytest.approx(60 / seconds), None]


def test_a_histogram_has_its_observations(db: Connection) -> None:
    ingest_metrics(db, histogram([1, 2], [1, 2, 3], 12, ts=ago(minutes=5)))

    (series,) = query(db, "latency", start=NOW - timedelta(minutes=9), step="10m")["series"]
    assert sum(point[1] for point in series["points"]) == 6


def test_sources_and_labels_narrow_the_series(db: Connection) -> None:
    ingest_metrics(
        db,
        [
            metric(ts=ago(minutes=1)),
            metric(ts=ago(minutes=1), labels={"a": "1", "b": "2"}),
            metric(ts=ago(minutes=1), source="db", labels={"a": "1"}),
        ],
    )

    assert len(query(db)["series"]) == 3
    assert len(query(db, source="web")["series"]) == 2
    assert len(query(db, labels='{"a": "1"}')["series"]) == 2
    assert len(query(db, source="web", labels='{"a": "1"}')["series"]) == 1
    assert query(db, labels='{"a": "2"}')["series"] == []


def test_the_range_is_the_last_day_when_none_is_asked_for(db: Connection) -> None:
    ingest_metrics(db, [metric(ts=ago(minutes=1)), metric(ts=ago(hours=30))])

    answer = query(db, step="1h")
    day_ago = NOW.replace(minute=0, second=0, microsecond=0) - timedelta(days=1)
    assert datetime.fromisoformat(answer["from"]) == day_ago
    assert datetime.fromisoformat(answer["to"]) == NOW
    end = NOW - timedelta(hours=2)
    answer = query(db, end=end, step="1h")
    assert datetime.fromisoformat(answer["from"]) == day_ago - timedelta(hours=2)
    assert datetime.fromisoformat(answer["to"]) == end


@pytest.mark.parametrize(("step", "unit"), [("10m", "minute"), ("1h", "hour"), ("1d", "day")])
def test_from_is_inside_and_to_is_not(db: Connection, step: str, unit: str) -> None:
    start, end = (
        ask(db, "select date_trunc(%s, %s)", unit, NOW - timedelta(days=days)) for days in (3, 1)
    )
    start, end = (instant.replace(minute=0) for instant in (start, end))
    moment = timedelta(microseconds=1)
    times = [start - moment, start, end - moment, end]
    ingest_metrics(db, [metric(value=n, ts=ts.isoformat()) for n, ts in enumerate(times)])

    (series,) = query(db, start=start, end=end, step=step)["series"]
    assert sum(point[1] for point in series["points"]) == 2
    assert series["points"][0][2] == 1
    assert series["points"][-1][2] == 2
    assert datetime.fromisoformat(series["points"][-1][0]) < end


@pytest.mark.parametrize("step", ["1m", "1h", "1d"])
def test_a_sample_at_to_is_left_out_also_where_to_lies_within_a_step(
    db: Connection, step: str
) -> None:
    end = NOW - timedelta(minutes=10)
    times = [end - timedelta(microseconds=1), end]
    ingest_metrics(db, [metric(value=n, ts=ts.isoformat()) for n, ts in enumerate(times)])

    (series,) = query(db, start=end - timedelta(days=1), end=end, step=step)["series"]
    assert [point[1:3] for point in series["points"]][-1] == [1, 0]


def test_series_come_in_the_order_of_their_sources_and_labels(db: Connection) -> None:
    expected = [("a", {"x": "1"}), ("a", {"x": "2"}), ("b", {}), ("c", {"x": "0"})]
    for place in (2, 1, 3, 0):
        source, labels = expected[place]
        ingest_metrics(db, metric(source=source, labels=labels, ts=ago(minutes=1)))

    series = query(db)["series"]
    assert [(each["source"], each["labels"]) for each in series] == expected


def test_the_step_fits_the_window_when_none_is_asked_for(db: Connection) -> None:
    ingest_metrics(db, metric(ts=ago(minutes=1)))

    steps = {
        hours: query(db, start=NOW - timedelta(hours=hours))["step_seconds"]
        for hours in (1, 24, 24 * 7, 24 * 90)
    }
    assert steps == {1: 60, 24: 300, 24 * 7: 3600, 24 * 90: 86400}


@pytest.mark.parametrize("step", ["", "0m", "5", "5 m", "1w", "10000s", "-5m"])
def test_a_step_is_seconds_minutes_hours_or_days(db: Connection, step: str) -> None:
    ingest_metrics(db, metric())

    with refused(db, "step_well_formed"):
        query(db, step=step)


def test_from_is_before_to(db: Connection) -> None:
    ingest_metrics(db, metric())

    with refused(db, "from_before_to"):
        query(db, start=NOW, end=NOW)
    with refused(db, "from_before_to"):
        query(db, start=NOW + timedelta(hours=1))


@pytest.mark.parametrize("asked", [{"end": FIRST}, {"start": FIRST, "end": NEXT, "step": "5d"}])
def test_points_before_the_year_1_are_refused(db: Connection, asked: dict[str, Any]) -> None:
    ingest_metrics(db, metric())

    with refused(db, "from_in_range"):
        query(db, **asked)
    assert query(db, start=FIRST, end=NEXT)["from"] == "0001-01-01T00:00:00+00:00"


def test_unknown_names_are_refused(db: Connection) -> None:
    ingest_metrics(db, metric())

    with refused(db, "kind_unknown"):
        query(db, "none")
    with refused(db, "source_unknown"):
        query(db, source="nobody")


def test_series_are_split_by_the_version_of_their_server(db: Connection) -> None:
    start = NOW - timedelta(hours=4)
    register(db, server_json("1", source="web"), now=start + timedelta(hours=1))
    register(db, server_json("2", source="web"), now=start + timedelta(hours=2, minutes=10))
    register(db, server_json("1", source="web"), now=start + timedelta(hours=3))
    ingest_metrics(
        db,
        [metric(value=n, ts=(start + timedelta(minutes=30 * n)).isoformat()) for n in range(8)]
        + [metric(source="other", value=9, ts=ago(hours=3))],
    )
    answer = query(db, start=start, step="30m", split_by="version")
    begin = datetime.fromisoformat(answer["from"])
    found = [
        (
            series["source"],
            series["server"],
            series["version"],
            [
                (datetime.fromisoformat(p[0]) - begin) / timedelta(minutes=30)
                for p in series["points"]
            ],
        )
        for series in answer["series"]
    ]
    whole = query(db, start=start, step="30m")
    points = [float(n) for n in range(len(whole["series"][0]["points"]))]
    at = [begin + n * timedelta(minutes=30) for n in range(len(points))]
    first, second, third = (
        start + timedelta(hours=hours, minutes=minutes)
        for hours, minutes in [(1, 0), (2, 10), (3, 0)]
    )
    one = [n for n in points if first <= at[int(n)] < second or at[int(n)] >= third]
    two = [n for n in points if second <= at[int(n)] < third]
    assert found == [
        ("other", None, None, points),
        ("web", NAME, None, [n for n in points if at[int(n)] < first]),
        ("web", NAME, "1", one),
        ("web", NAME, "2", two),
    ]


def test_split_series_have_the_points_of_whole_ones(db: Connection) -> None:
    register(db, server_json("1", source="web"), now=NOW - timedelta(hours=2))
    ingest_metrics(db, [metric(value=n, ts=ago(minutes=30 * n)) for n in range(8)])
    (whole,) = query(db)["series"]
    answer = query(db, split_by="version")
    assert list(answer) == list(query(db))
    split = answer["series"]
    assert sorted(p for series in split for p in series["points"]) == sorted(whole["points"])


def test_an_unknown_split_is_refused(db: Connection) -> None:
    ingest_metrics(db, metric())
    with refused(db, "split_by_known") as refusal:
        query(db, split_by="x" * 200)
    assert refusal.hint == "Send version."
    assert refusal.message == f'unknown split_by "{"x" * 100}"'


@pytest.mark.parametrize(
    ("after", "days"), [(timedelta(), 0), (timedelta(microseconds=1), 1), (timedelta(days=1), 1)]
)
def test_a_range_that_ends_where_days_alone_are_left_ends_with_a_whole_day(
    db: Connection, after: timedelta, days: int
) -> None:
    ingest_metrics(db, metric(ts=ago(days=1)))
    day = NOW.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=100)
    hypertable = ask(db, "select internal.hypertable('sample_1d')")
    db.execute(
        f"insert into {hypertable} (kind_id, series_id, bucket, observations, value_count)"
        " select kind_id, series_id, %s, 5, 0 from data.series".encode(),
        [day - timedelta(days=1)],
    )

    answer = query(db, start=day - timedelta(days=2), end=day + after, step="1h")
    assert datetime.fromisoformat(answer["to"]) == day + timedelta(days=days)
    assert answer["step_seconds"] == 86400
