"""Raw rows of an incident that are kept past retention."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from psycopg import Connection

from tests.sql.audit import settle
from tests.sql.calls import (
    NOW,
    Json,
    ask,
    fact,
    ingest_facts,
    ingest_metrics,
    metric,
    query_facts,
    refused,
)

INCIDENT = NOW - timedelta(days=60)
STORED = "select json_agg(value order by ts) from data.sample"


def pin(
    db: Connection,
    source: str = "web",
    start: datetime = INCIDENT,
    hours: int = 2,
    reason: str = "outage",
    now: datetime = NOW,
) -> Json:
    answer: Json = ask(
        db,
        "select api.pin_window(%s, %s, %s, %s, %s)",
        source,
        start,
        start + timedelta(hours=hours),
        reason,
        now,
    )
    return answer


def expire(db: Connection, now: datetime) -> None:
    """What the policy of samples does, by another clock."""
    keep = ask(db, "select internal.retention('sample')")
    db.execute("select drop_chunks('data.sample', older_than => %s::timestamptz)", [now - keep])


@pytest.fixture
def samples(db: Connection) -> None:
    """A sample before, in and after the incident."""
    for value, days in enumerate((80, 60, 40), start=1):
        ingest_metrics(
            db,
            metric(value=value, ts=(NOW - timedelta(days=days) + timedelta(hours=1)).isoformat()),
        )


@pytest.mark.usefixtures("samples")
def test_retention_leaves_what_is_pinned(db: Connection) -> None:
    pin(db)
    db.execute("select ops.set_retention('data.sample', '30 days')")
    ask(db, "select internal.freeze_pinned(%s)", NOW)
    expire(db, NOW)
    assert ask(db, STORED) == [2]


@pytest.mark.usefixtures("samples")
def test_what_is_in_the_columnstore_before_it_is_pinned_is_kept(db: Connection) -> None:
    db.execute("select compress_chunk(chunk) from internal.list_chunks('sample')")
    pin(db)
    later = NOW + timedelta(days=100)
    assert ask(db, "select internal.freeze_pinned(%s)", later) == 1
    expire(db, later)
    assert ask(db, STORED) == [2]


@pytest.mark.usefixtures("samples")
def test_pinned_rows_are_queried_as_before(db: Connection) -> None:
    ingest_facts(db, fact(source="web", ts=INCIDENT.isoformat()))
    pin(db)
    later = NOW + timedelta(days=100)
    ask(db, "select internal.freeze_pinned(%s)", later)
    expire(db, later)
    answer = ask(
        db,
        "select api.query_metrics('cpu', 'web', null, %s, %s, '5m', null, %s)",
        INCIDENT,
        INCIDENT + timedelta(hours=2),
        later,
    )
    assert answer["resolution"] == "raw"
    assert [point[1] for point in answer["series"][0]["points"] if point[1]] == [1]
    assert ask(db, "select json_agg(value) from analytics.metrics") == [2]
    assert len(query_facts(db)["items"]) == 1


@pytest.mark.usefixtures("samples")
def test_a_pinned_chunk_that_expires_accepts_nothing_more(db: Connection) -> None:
    pin(db)
    later = INCIDENT + timedelta(days=88)
    ask(db, "select internal.freeze_pinned(%s)", later)
    with refused(db, "items_refused"):
        ingest_metrics(db, metric(ts=INCIDENT.isoformat()), now=later)
    # A fact needs no sample there.
    old = fact(ts=INCIDENT.isoformat())
    assert ingest_facts(db, old, now=later)["accepted"] == 1


@pytest.mark.usefixtures("samples")
def test_late_samples_are_accepted_until_a_pinned_chunk_expires(db: Connection) -> None:
    pin(db)
    assert ingest_metrics(db, metric(ts=INCIDENT.isoformat()))["accepted"] == 1


@pytest.mark.usefixtures("samples")
def test_what_is_not_pinned_any_more_goes(db: Connection) -> None:
    first, second = pin(db), pin(db, hours=3)
    later = NOW + timedelta(days=100)
    for each, stays in ((first, [2]), (second, None)):
        ask(db, "select internal.freeze_pinned(%s)", later)
        assert ask(db, "select api.unpin_window(%s, %s)", each["id"], later)["id"] == each["id"]
        expire(db, later)
        assert ask(db, STORED) == stays


@pytest.mark.usefixtures("samples")
def test_a_plan_shows_what_a_pin_keeps(db: Connection) -> None:
    kept = pin(db)
    plan = ask(db, "select api.plan_retention('data.sample', '30 days', %s)", NOW)
    assert plan["drops"]["rows"] == 2
    assert [chunk["pinned_by"] for chunk in plan["chunks"]] == [
        None,
        [{"id": kept["id"], "source": "web", "reason": "outage"}],
        None,
    ]


@pytest.mark.usefixtures("samples")
def test_the_same_range_is_pinned_once(db: Connection) -> None:
    assert pin(db) == pin(db, reason="another")
    assert len(ask(db, "select api.list_pins(null)")["items"]) == 1


@pytest.mark.usefixtures("samples")
def test_pins_are_listed_newest_first_and_by_source(db: Connection) -> None:
    ingest_metrics(db, metric(source="api", ts=INCIDENT.isoformat()))
    pins = [pin(db), pin(db, source="api")]
    assert ask(db, "select api.list_pins(null)")["items"] == pins[::-1]
    assert ask(db, "select api.list_pins('web')")["items"] == pins[:1]


@pytest.mark.usefixtures("samples")
def test_the_audit_records_pins(db: Connection) -> None:
    number = pin(db)["id"]
    settle(db)
    event = ask(
        db,
        "select jsonb_build_array(action, object_type, object_name, document #> '{reason,new}')"
        " from ops.audit order by number desc limit 1",
    )
    assert event == ["insert", "pin", str(number), "outage"]


@pytest.mark.usefixtures("samples")
def test_rollups_of_pinned_time_survive_a_refresh(db: Connection) -> None:
    pin(db)
    ask(db, "select internal.freeze_pinned(%s)", NOW + timedelta(days=25))
    upto = ask(db, "select internal.frozen_upto('sample')")
    assert upto > INCIDENT
    # A refresh begins after the chunk, also when those around it are gone.
    assert ask(db, "select internal.samples_kept_from()") >= upto


@pytest.mark.parametrize(
    ("arguments", "slug", "field"),
    [
        ({"source": "wep"}, "source_unknown", "source"),
        ({"hours": 0}, "from_before_to", "from"),
        ({"reason": ""}, "reason_in_range", "reason"),
        ({"start": NOW - timedelta(days=3000)}, "range_stored", "from"),
    ],
)
@pytest.mark.usefixtures("samples")
def test_a_bad_pin_is_refused(
    db: Connection, arguments: dict[str, object], slug: str, field: str
) -> None:
    with refused(db, slug) as refusal:
        pin(db, **arguments)  # type: ignore[arg-type]
    assert refusal.column == field


@pytest.mark.usefixtures("samples")
def test_pins_have_a_quota(db: Connection) -> None:
    db.execute("select ops.set_quota('pins', 1)")
    pin(db)
    with refused(db, "count_within_quota"):
        pin(db, hours=3)


def test_an_unknown_pin_is_not_removed(db: Connection) -> None:
    with refused(db, "pin_unknown"):
        ask(db, "select api.unpin_window(7, now())")


@pytest.mark.usefixtures("samples")
def test_a_pin_belongs_to_its_namespace(db: Connection) -> None:
    number = pin(db)["id"]
    db.execute("set local supervisor.namespace = 'acme'")
    assert ask(db, "select api.list_pins(null)")["items"] == []
    with refused(db, "pin_unknown"):
        ask(db, "select api.unpin_window(%s, now())", number)


@pytest.mark.parametrize("days", [1, 3, 14])
def test_what_is_kept_for_days_and_pinned_takes_new_facts(db: Connection, days: int) -> None:
    db.execute("select ops.set_retention('data.fact', make_interval(days => %s))", [days])
    item = fact(source="web")
    ingest_facts(db, {**item, "ts": (NOW - timedelta(minutes=30)).isoformat()})

    pin(db, start=NOW - timedelta(hours=1), hours=1)
    assert ingest_facts(db, item)["accepted"] == 1
    # An hour before it expires, it is kept all the same.
    end = ask(db, "select max(range_end) from internal.list_chunks('fact')")
    expires = end + timedelta(days=days)
    ask(db, "select internal.freeze_pinned(%s)", expires - timedelta(hours=1))
    db.execute("select drop_chunks('data.fact', older_than => %s::timestamptz)", [expires])
    assert len(query_facts(db, now=expires)["items"]) == 2
