"""Samples that come after their hour or day was rolled up are counted at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from psycopg import Connection

from tests.sql.calls import Json, ask, fact, ingest_facts, ingest_metrics, metric, query_agg
from tests.support.rollups import roll_up


def midnight(instant: datetime) -> datetime:
    return instant.replace(hour=0, minute=0, second=0, microsecond=0)


@pytest.fixture(autouse=True)
def nothing_late(lasting: Connection) -> None:
    """Forget what the tests before left."""
    lasting.execute("delete from data.late_hour")


def at(instant: datetime, value: float = 1) -> Json:
    return dict(metric(value=value, ts=instant.isoformat()))


def test_a_late_sample_counts_at_once_and_is_reported(lasting: Connection, now: datetime) -> None:
    ingest_metrics(
        lasting, [at(midnight(now) - timedelta(hours=hours)) for hours in range(1, 60)], now=now
    )
    roll_up(lasting, now - timedelta(hours=1))
    lasting.execute("call internal.refresh_late(0, '{}')")

    answer = ingest_metrics(
        lasting, [at(midnight(now) - timedelta(hours=30, minutes=1), 100)], now=now
    )
    assert (answer["accepted"], answer["late"]) == (1, 1)
    for source in (None, "web"):
        aggregate = query_agg(lasting, source=source, now=now)
        assert (aggregate["count"], aggregate["max"]) == (60, 100)
        assert aggregate["freshness"]["late_pending"] == 1


def test_only_late_samples_below_the_watermark_are_pending(
    lasting: Connection, now: datetime
) -> None:
    ingest_metrics(lasting, [at(now - timedelta(hours=30))], now=now)
    roll_up(lasting, now - timedelta(hours=24))
    lasting.execute("call internal.refresh_late(0, '{}')")
    watermark = ask(lasting, "select internal.watermark('sample_1h')")

    for instant, pending in ((watermark, 0), (watermark - timedelta(microseconds=1), 1)):
        assert ingest_metrics(lasting, [at(instant)], now=now)["late"] == pending
        assert query_agg(lasting, now=now)["freshness"]["late_pending"] == pending
        assert ask(lasting, "select (api.get_state(%s) ->> 'late_samples')::int", now) == pending
    assert ask(lasting, "select count(*) from data.late_hour") == 2


def test_only_late_facts_below_the_watermark_are_late(lasting: Connection, now: datetime) -> None:
    def send(instant: datetime) -> int:
        late: int = ingest_facts(lasting, fact(ts=instant.isoformat()), now=now)["late"]
        return late

    send(now - timedelta(hours=30))
    roll_up(lasting, now - timedelta(hours=24))
    lasting.execute("call internal.refresh_late(0, '{}')")
    watermark = ask(lasting, "select internal.watermark('sample_1h')")

    assert send(watermark) == 0
    assert send(watermark - timedelta(microseconds=1)) == 1
    assert ask(lasting, "select array_agg(bucket order by bucket) from data.late_hour") == [
        watermark - timedelta(hours=1),
        watermark,
    ]


def test_of_two_known_series_one_may_be_late(lasting: Connection, now: datetime) -> None:
    sources = [f"{now:%Y%j}{name}" for name in "ab"]
    ingest_metrics(
        lasting,
        [{**at(now - timedelta(hours=30)), "source": source} for source in sources],
        now=now,
    )
    roll_up(lasting, now - timedelta(hours=1))
    lasting.execute("call internal.refresh_late(0, '{}')")

    times = [now - timedelta(hours=30, minutes=1), now]
    for order in (1, -1):
        items = [
            {**at(instant - order * timedelta(seconds=1)), "source": source}
            for instant, source in zip(times, sources[::order], strict=True)
        ]
        assert ingest_metrics(lasting, items, now=now)["late"] == 1


def test_late_samples_of_a_new_series_are_noted_by_their_hours(
    lasting: Connection, now: datetime
) -> None:
    ingest_metrics(lasting, [at(now - timedelta(hours=30))], now=now)
    roll_up(lasting, now - timedelta(hours=24))
    lasting.execute("call internal.refresh_late(0, '{}')")
    watermark = ask(lasting, "select internal.watermark('sample_1h')")
    hours = [watermark - timedelta(hours=n) for n in (2, 1, 0)]

    answer = ingest_metrics(lasting, [{**at(hour), "source": "new"} for hour in hours], now=now)
    assert answer["late"] == 2
    assert ask(lasting, "select array_agg(bucket order by bucket) from data.late_hour") == hours


@pytest.mark.parametrize("other", [None, "new series", "no item"])
def test_late_samples_are_counted_beside_known_and_new_ones(
    lasting: Connection, now: datetime, other: str | None
) -> None:
    known, late = now - timedelta(hours=30), now - timedelta(hours=30, minutes=1)
    ingest_metrics(lasting, [at(known)], now=now)
    roll_up(lasting, now - timedelta(hours=1))
    lasting.execute("call internal.refresh_late(0, '{}')")

    extra: list[Json] = []
    if other is not None:
        extra.append({**at(now), "source": f"{now}"[:10]} if other == "new series" else {})
    batch = [at(known), at(late), at(now), *extra]
    answer = ingest_metrics(lasting, batch, partial=True, now=now)
    assert (answer["late"], answer["duplicate"]) == (1, 1)
    assert lasting.execute("select bucket, samples from data.late_hour").fetchall() == [
        (late.replace(minute=0, second=0, microsecond=0), 1)
    ]
    again = ingest_metrics(lasting, batch, partial=True, now=now)
    assert (again["accepted"], again["late"]) == (0, 0)


@pytest.mark.parametrize("ingest", [ingest_metrics, ingest_facts])
@pytest.mark.parametrize("known", [False, True], ids=["new series", "known series"])
def test_what_a_refresh_that_begins_may_miss_is_late_and_no_more(
    lasting: Connection, now: datetime, ingest: Callable[..., Json], known: bool
) -> None:
    hour = now.replace(minute=0, second=0, microsecond=0)
    moment = timedelta(microseconds=1)
    ready = hour + timedelta(minutes=15)

    def send(source: str, instant: datetime, clock: datetime) -> None:
        item = at(instant) if ingest is ingest_metrics else fact(ts=instant.isoformat())
        assert ingest(lasting, {**item, "source": source}, now=clock)["accepted"] == 1

    source = f"{now.timestamp()}-{known}"
    if known:
        send(source, hour + moment, ready)
    for number, (clock, instant, noted) in enumerate(
        [(ready - moment, hour - 2 * moment, 0), (ready, hour, 0), (ready, hour - moment, 1)]
    ):
        send(source if known else f"{source}-{number}", instant, clock)
        assert ask(lasting, "select count(*) from data.late_hour") == noted


def test_a_day_is_not_rolled_up_before_its_hours(lasting: Connection, now: datetime) -> None:
    yesterday = midnight(now) - timedelta(days=1)
    noon = midnight(now) - timedelta(hours=12)
    times = [midnight(now) - timedelta(hours=hours) for hours in range(1, 48)]
    ingest_metrics(lasting, [at(ts) for ts in times], now=now)

    start = midnight(now) - timedelta(days=2)
    lasting.execute("call internal.refresh_range(%s, %s, %s)", [start, noon, now])
    for rollup, end in (("1h", noon), ("1d", yesterday)):
        for name in (f"sample_{rollup}", f"kind_{rollup}"):
            assert ask(lasting, "select internal.watermark(%s)", name) == end, name


def test_late_samples_of_many_days_count_once_each(lasting: Connection, now: datetime) -> None:
    hours = range(1, 24 * 10)
    ingest_metrics(lasting, [at(now - timedelta(hours=n)) for n in hours], now=now)
    roll_up(lasting, now - timedelta(hours=1))

    ingest_metrics(
        lasting, [at(now - timedelta(hours=n, minutes=1)) for n in hours if n % 7], now=now
    )
    expected = len(hours) + sum(1 for n in hours if n % 7)
    assert query_agg(lasting, window="30d", now=now)["count"] == expected
    lasting.execute("call internal.refresh_late(0, '{}')")
    answer = query_agg(lasting, window="30d", now=now)
    assert (answer["count"], answer["freshness"]["late_pending"]) == (expected, 0)


def test_a_late_fact_counts_at_once(lasting: Connection, now: datetime) -> None:
    early = {"ts": (now - timedelta(days=3)).isoformat()}
    ingest_facts(lasting, fact(fact_id=f"{now}1", **early), now=now)
    roll_up(lasting, now - timedelta(hours=1))

    assert ingest_facts(lasting, fact(fact_id=f"{now}2", **early), now=now)["late"] == 1
    assert query_agg(lasting, "Fact:Deal", now=now)["count"] == 2


def test_a_day_may_be_rolled_up_before_its_last_hours(lasting: Connection, now: datetime) -> None:
    ingest_metrics(lasting, [at(midnight(now) - timedelta(hours=2))], now=now)
    roll_up(lasting, midnight(now) - timedelta(hours=4), "sample_1h")
    roll_up(lasting, midnight(now), "sample_1d", "kind_1d")

    ingest_metrics(lasting, [at(midnight(now) - timedelta(hours=1), 7)], now=now)
    for source in (None, "web"):
        assert query_agg(lasting, source=source, now=now)["sum"] == 8


def test_samples_above_a_watermark_that_lags_are_not_lost_to_a_late_one(
    lasting: Connection, now: datetime
) -> None:
    ingest_metrics(
        lasting, [at(midnight(now) - timedelta(days=days, hours=2)) for days in range(6)], now=now
    )
    roll_up(lasting, midnight(now) - timedelta(days=4))
    roll_up(lasting, midnight(now), "sample_1h", "sample_1d")

    # Hours and days of kinds lag: rolling up yesterday alone would hide what lies between.
    ingest_metrics(lasting, [at(midnight(now) - timedelta(hours=2, minutes=1))], now=now)
    lasting.execute("call internal.refresh_late(0, '{}')")
    for source in (None, "web"):
        assert query_agg(lasting, source=source, now=now)["count"] == 7


def test_a_late_sample_of_the_first_hour_of_a_day_counts_once(
    lasting: Connection, now: datetime
) -> None:
    ingest_metrics(lasting, [at(now - timedelta(hours=n)) for n in range(1, 24 * 16)], now=now)
    roll_up(lasting, now - timedelta(hours=1))
    lasting.execute("call internal.refresh_late(0, '{}')")
    # The window before begins at 11:25:03.
    counts = [24 * 7, 24 * 7 + 1]

    # Of the first whole day of the window before and of this one, and of the last day.
    for days, windows in ((13, (0, 1)), (6, (1, 0)), (1, (1, 0))):
        late = midnight(now) - timedelta(days=days) + timedelta(minutes=1)
        assert ingest_metrics(lasting, [at(late)], now=now)["late"] == 1
        counts = [count + more for count, more in zip(counts, windows, strict=True)]
        for source in (None, "web"):
            answer = query_agg(lasting, source=source, now=now)
            assert [answer["count"], answer["previous"]["count"]] == counts


def test_late_samples_of_one_kind_leave_others_alone(lasting: Connection, now: datetime) -> None:
    times = [now - timedelta(hours=n) for n in range(1, 50)]
    ingest_metrics(lasting, [at(ts) for ts in times], now=now)
    ingest_metrics(lasting, [{**at(ts), "name": "other"} for ts in times], now=now)
    roll_up(lasting, now - timedelta(hours=1))
    lasting.execute("call internal.refresh_late(0, '{}')")

    ingest_metrics(lasting, [at(ts + timedelta(minutes=1)) for ts in times[5:20]], now=now)
    assert query_agg(lasting, now=now)["count"] == 64
    other = query_agg(lasting, "other", now=now)
    assert (other["count"], other["freshness"]["late_pending"]) == (49, 0)


def test_a_late_sample_of_the_first_hour_that_is_stored_is_rolled_up(
    lasting: Connection, now: datetime
) -> None:
    ingest_metrics(lasting, [at(now - timedelta(hours=2))], now=now)
    roll_up(lasting, now - timedelta(hours=1))
    first = ask(lasting, "select internal.oldest_chunk('sample')")
    later = first + timedelta(days=5)

    late = {**at(first), "name": "first"}
    assert ingest_metrics(lasting, [late], now=later)["late"] == 1
    lasting.execute("call internal.refresh_late(0, '{}')")
    for source in (None, "web"):
        assert query_agg(lasting, "first", "30d", source=source, now=later)["count"] == 1


def test_a_sample_at_the_far_end_of_retention_is_rolled_up(
    lasting_alone: Connection, now: datetime
) -> None:
    ingest_metrics(lasting_alone, [at(now - timedelta(days=89, hours=12))], now=now)
    roll_up(lasting_alone, now - timedelta(hours=1))

    assert query_agg(lasting_alone, window="90d", now=now)["count"] == 1
    # By the clock of the server: whatever comes afterwards is late.
    lasting_alone.execute('call internal.refresh_rollups(0, \'{"end_offset": "1 hour"}\')')
    lasting_alone.execute("call internal.refresh_late(0, '{}')")
    assert query_agg(lasting_alone, window="90d", now=now)["count"] == 1
    assert ask(lasting_alone, "select count(*) from data.late_hour") == 0


@pytest.mark.parametrize("relation", ["sample", "fact"])
def test_columnstore_takes_duplicates_conflicts_and_late_rows(
    lasting: Connection, now: datetime, relation: str
) -> None:
    old = [now - timedelta(days=20, minutes=n) for n in range(2000)]
    if relation == "sample":
        items = [at(ts) for ts in old]
        ingest, kind = ingest_metrics, "cpu"
    else:
        items = [
            dict(fact(fact_id=f"{now}{n}", value=1, ts=ts.isoformat())) for n, ts in enumerate(old)
        ]
        ingest, kind = ingest_facts, "Fact:Deal"
    ingest(lasting, items, now=now)
    roll_up(lasting, now - timedelta(hours=1))
    for table in ("data.sample", "data.fact"):
        lasting.execute(f"select compress_chunk(chunk) from show_chunks('{table}') as chunk")

    again = [*items[::2], *({**item, "value": 2} for item in items[1::2])]
    answer = ingest(lasting, again, now=now)
    assert (answer["accepted"], answer["duplicate"], answer["conflict"]) == (0, 1000, 1000)
    new = [
        {
            **item,
            "ts": (ts + timedelta(seconds=1)).isoformat(),
            **({"fact_id": f"{now}n{n}"} if kind != "cpu" else {}),
        }
        for n, (item, ts) in enumerate(zip(items, old, strict=True))
    ]
    assert ingest(lasting, new, now=now)["late"] == 2000
    assert query_agg(lasting, kind, "30d", now=now)["sum"] == 4000
    lasting.execute("call internal.refresh_late(0, '{}')")
    assert query_agg(lasting, kind, "30d", now=now)["sum"] == 4000


def test_rollups_outlive_their_samples(lasting: Connection, now: datetime) -> None:
    times = [now - timedelta(hours=60 * n + 1) for n in range(35)]
    ingest_metrics(lasting, [at(ts, n) for n, ts in enumerate(times)], now=now)
    roll_up(lasting, now - timedelta(hours=1))
    lasting.execute("call internal.refresh_late(0, '{}')")
    whole = {window: query_agg(lasting, window=window, now=now) for window in ("7d", "30d", "90d")}

    later = now + timedelta(days=30)
    lasting.execute("select drop_chunks('data.sample', %s)", [later - timedelta(days=90)])
    assert ask(lasting, "select min(ts) from data.sample") > now - timedelta(days=67)
    assert {window: query_agg(lasting, window=window, now=now) for window in whole} == whole
    # What the policies and the job do afterwards, a late sample at the far end included.
    roll_up(lasting, later - timedelta(hours=1))
    ingest_metrics(lasting, [at(now - timedelta(days=59), 1)], now=later)
    lasting.execute("call internal.refresh_late(0, '{}')")
    after = query_agg(lasting, window="90d", now=now)
    assert after["count"] == whole["90d"]["count"] + 1


def test_late_hours_whose_samples_are_gone_erase_nothing(
    lasting: Connection, now: datetime
) -> None:
    ingest_metrics(lasting, [at(now - timedelta(days=days)) for days in range(1, 80, 6)], now=now)
    roll_up(lasting, now - timedelta(hours=1))
    ingest_metrics(lasting, [at(now - timedelta(days=79, minutes=1))], now=now)

    # The service sleeps; when it wakes, retention comes before the job.
    lasting.execute("select drop_chunks('data.sample', %s)", [now - timedelta(days=40)])
    lasting.execute("call internal.refresh_late(0, '{}')")
    assert query_agg(lasting, window="90d", now=now)["count"] == 14
    assert ask(lasting, "select count(*) from data.late_hour") == 0


def test_a_day_that_still_gets_late_samples_waits_at_most_ten_times_as_long(
    lasting: Connection, now: datetime
) -> None:
    days = [midnight(now) - timedelta(days=n, hours=3) for n in (3, 6, 9)]
    ingest_metrics(lasting, [at(midnight(now) - timedelta(days=n)) for n in range(12)], now=now)
    roll_up(lasting, now - timedelta(hours=1))
    lasting.execute("delete from data.late_hour")
    noted = "update data.late_hour set noted_at = now() - %s where date_trunc('day', bucket) = %s"
    for day in days:
        ingest_metrics(lasting, [at(day), at(day + timedelta(hours=1))], now=now)
    settled, restless, busy = (midnight(day) for day in days)
    lasting.execute(noted, [timedelta(minutes=2), settled])
    # One of its hours was noted long ago, the other one a moment ago.
    lasting.execute(
        noted + " and extract(hour from bucket) = 21", [timedelta(minutes=11), restless]
    )

    lasting.execute('call internal.refresh_late(0, \'{"settle": "1 minute"}\')')

    left = "select array_agg(distinct date_trunc('day', bucket)) from data.late_hour"
    assert ask(lasting, left) == [busy]
    assert query_agg(lasting, window="30d", now=now)["count"] == 18
