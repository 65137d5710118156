"""What late samples have changed is recorded: which hours, from what to what."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from psycopg import Connection

from tests.sql.calls import Json, ask, fact, ingest_facts, ingest_metrics, metric, refused
from tests.support.rollups import roll_up

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def nothing_restated(lasting: Connection) -> None:
    """Forget what the tests before left."""
    lasting.execute("truncate data.late_hour, data.aggregate_restatement")


@pytest.fixture
def rolled_up(lasting: Connection, now: datetime) -> datetime:
    """The start of an hour of yesterday; it and the three after it have a sample each."""
    start = now.replace(hour=3, minute=0, second=0, microsecond=0) - timedelta(days=1)
    ingest_metrics(lasting, [at(start + n * HOUR, n + 1) for n in range(4)], now=now)
    roll_up(lasting, now - HOUR)
    lasting.execute("truncate data.late_hour")
    return start


def at(instant: datetime, value: float, name: str = "cpu") -> Json:
    return dict(metric(name, value=value, ts=(instant + timedelta(minutes=7)).isoformat()))


def refresh(conn: Connection) -> None:
    conn.execute("call internal.refresh_late(0, '{}')")


def restatements(
    conn: Connection,
    kind: str | None = None,
    from_: datetime | None = None,
    to: datetime | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Json:
    answer: Json = ask(
        conn,
        "select api.list_restatements(%s, %s, %s, %s, %s)",
        *(kind, from_, to, limit, cursor),
    )
    return answer


def test_a_restatement_says_which_hours_moved_from_what_to_what(
    lasting: Connection, now: datetime, rolled_up: datetime
) -> None:
    late = rolled_up + timedelta(minutes=1)
    ingest_metrics(lasting, [at(late, 10), at(late + HOUR, -5)], now=now)
    assert restatements(lasting)["items"] == []
    refresh(lasting)

    (item,) = restatements(lasting)["items"]
    assert (datetime.fromisoformat(item["from"]), datetime.fromisoformat(item["to"])) == (
        rolled_up,
        rolled_up + 2 * HOUR,
    )
    assert (item["kind"], item["reason"], item["late_samples"]) == ("cpu", "late_samples", 2)
    assert item["before"] == {"count": 2, "sum": 3, "min": 1, "max": 2}
    assert item["after"] == {"count": 4, "sum": 8, "min": -5, "max": 10}
    assert item["noted_at"] < item["restated_at"]


def test_late_samples_that_were_rolled_up_already_restate_nothing(
    lasting: Connection, now: datetime, rolled_up: datetime
) -> None:
    ingest_metrics(lasting, at(rolled_up + timedelta(minutes=1), 9), now=now)
    # As the first refresh of a history that is imported does.
    roll_up(lasting, now - HOUR)
    assert ask(lasting, "select count(*) from data.late_hour") == 1

    refresh(lasting)

    assert ask(lasting, "select count(*) from data.late_hour") == 0
    assert restatements(lasting)["items"] == []


def test_hours_that_are_apart_are_restated_apart(
    lasting: Connection, now: datetime, rolled_up: datetime
) -> None:
    late = rolled_up + timedelta(minutes=1)
    ingest_metrics(lasting, [at(late, 1), at(late + 3 * HOUR, 1)], now=now)
    refresh(lasting)

    items = restatements(lasting)["items"]
    assert [item["before"]["sum"] for item in items] == [4, 1]


def test_each_kind_has_its_own_restatement(
    lasting: Connection, now: datetime, rolled_up: datetime
) -> None:
    early = fact(ts=rolled_up.isoformat(), fact_id=f"{now}")
    ingest_facts(lasting, early, now=now)
    ingest_metrics(lasting, at(rolled_up, 1, "memory"), now=now)
    refresh(lasting)

    items = {item["kind"]: item for item in restatements(lasting)["items"]}
    assert set(items) == {"Fact:Deal", "memory"}
    assert items["memory"]["before"] == {"count": 0, "sum": None, "min": None, "max": None}
    assert items["Fact:Deal"]["after"] == {"count": 1, "sum": None, "min": None, "max": None}


def test_a_refresh_that_was_interrupted_is_restated_from_what_was_before_it(
    lasting: Connection, now: datetime, rolled_up: datetime
) -> None:
    ingest_metrics(lasting, at(rolled_up + timedelta(minutes=1), 10), now=now)
    lasting.execute(
        "select internal.begin_restatements(array(select late_hour_id from data.late_hour))"
    )
    roll_up(lasting, now - HOUR)
    # The job ended here; meanwhile another hour got a late sample.
    ingest_metrics(lasting, at(rolled_up + HOUR + timedelta(minutes=1), 20), now=now)
    refresh(lasting)

    items = restatements(lasting)["items"]
    assert [(item["before"]["sum"], item["after"]["sum"]) for item in items] == [(2, 22), (1, 11)]
    assert ask(lasting, "select count(*) from data.aggregate_restatement") == 2


def test_samples_that_are_not_late_restate_nothing(
    lasting: Connection, now: datetime, rolled_up: datetime
) -> None:
    ingest_metrics(lasting, at(now - timedelta(minutes=10), 1), now=now)
    refresh(lasting)

    assert restatements(lasting)["items"] == []
    assert rolled_up < now


def test_filters_and_pages_narrow_the_list(
    lasting: Connection, now: datetime, rolled_up: datetime
) -> None:
    late = rolled_up + timedelta(minutes=1)
    ingest_metrics(lasting, [at(late, 1), at(late + 2 * HOUR, 1), at(late, 1, "mem")], now=now)
    refresh(lasting)

    assert len(restatements(lasting, "cpu")["items"]) == 2
    assert len(restatements(lasting, "cpu", rolled_up + HOUR)["items"]) == 1
    assert len(restatements(lasting, None, None, rolled_up + HOUR)["items"]) == 2
    first = restatements(lasting, limit=2)
    rest = restatements(lasting, limit=2, cursor=first["next_cursor"])
    assert (len(rest["items"]), rest["next_cursor"]) == (1, None)


@pytest.mark.parametrize(
    ("arguments", "slug"),
    [
        ({"kind": "nothing"}, "kind_unknown"),
        ({"limit": 0}, "limit_in_range"),
        ({"cursor": "x"}, "cursor_invalid"),
    ],
)
def test_a_bad_question_is_refused(db: Connection, arguments: dict[str, Any], slug: str) -> None:
    with refused(db, slug):
        restatements(db, **arguments)


def test_old_restatements_are_deleted(
    lasting: Connection, now: datetime, rolled_up: datetime
) -> None:
    ingest_metrics(lasting, at(rolled_up, 10, "mem"), now=now)
    refresh(lasting)
    keep = '{"restatements": "400 days"}'
    lasting.execute("call internal.prune(0, %s)", [keep])
    assert len(restatements(lasting)["items"]) == 1

    lasting.execute(
        "update data.aggregate_restatement set restated_at = now() - interval '401 days'"
    )
    lasting.execute("call internal.prune(0, %s)", [keep])
    assert restatements(lasting)["items"] == []


def test_analysts_see_the_restatements_of_their_namespaces(
    lasting: Connection, now: datetime, rolled_up: datetime
) -> None:
    ingest_metrics(lasting, at(rolled_up, 10, "mem"), now=now)
    refresh(lasting)

    row = lasting.execute(
        "select kind, begins_at, reason, count_before, count_after, sum_after"
        " from analytics.restatements"
    ).fetchone()
    assert row == ("mem", rolled_up, "late_samples", 0, 1, 10)
