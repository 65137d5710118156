"""The job that deletes old idempotency keys, conflicts and identities of facts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from psycopg import Connection

from tests.sql.calls import ask, fact, ingest_facts, ingest_metrics, metric, query_facts, refused

CONFIG = '{"idempotency_keys": "7 days", "conflicts": "90 days"}'


def keep_samples_for(db: Connection, retention: str) -> None:
    db.execute("select remove_retention_policy('data.sample')")
    db.execute("select add_retention_policy('data.sample', %s::interval)", [retention])


def drop_chunks_before(db: Connection, instant: datetime) -> None:
    for relation in ("data.sample", "data.fact"):
        db.execute("select drop_chunks(%s::regclass, %s::timestamptz)", [relation, instant])


def test_old_keys_are_deleted_and_young_ones_are_kept(db: Connection) -> None:
    now = datetime.now(UTC)
    ingest_metrics(db, metric(), key="old", now=now - timedelta(days=8))
    ingest_metrics(db, metric(), key="young", now=now - timedelta(days=6))

    db.execute("call internal.prune(0, %s)", [CONFIG])
    assert db.execute("select key from data.idempotency_key").fetchall() == [("young",)]


def test_conflicts_are_deleted_some_time_after_the_last_attempt(db: Connection) -> None:
    now = datetime.now(UTC)
    ts = (now - timedelta(days=10)).isoformat()
    ingest_metrics(db, metric(ts=ts), now=now)
    for value, ages in ((2, [8]), (3, [8, 1]), (4, [6])):
        for days in ages:
            late = now - timedelta(days=days)
            ingest_metrics(db, metric(value=value, ts=ts), now=late)

    db.execute("call internal.prune(0, %s)", ['{"conflicts": "7 days"}'])
    kept = db.execute("select item ->> 'value' from data.conflict order by 1").fetchall()
    assert kept == [("3",), ("4",)]


def test_identities_are_kept_as_long_as_a_fact_can_come_again(db: Connection) -> None:
    db.execute("select ops.set_retention('data.fact', '90 days')")
    now = datetime.now(UTC)
    past = now - timedelta(days=5)
    for days in (85, 94):
        ts = (now - timedelta(days=days)).isoformat()
        ingest_facts(db, fact(fact_id=str(days), ts=ts), now=past)
    drop_chunks_before(db, now - timedelta(days=85, hours=1))

    db.execute("call internal.prune(0, %s)", [CONFIG])
    assert db.execute("select fact_id from data.fact_identity").fetchall() == [("85",)]
    again = fact(fact_id="85", ts=(now - timedelta(days=85)).isoformat())
    assert ingest_facts(db, again, now=now)["duplicate"] == 1
    assert len(query_facts(db, now=now)["items"]) == 1


def test_identities_without_facts_are_kept_a_day_longer_than_the_retention(db: Connection) -> None:
    db.execute("select ops.set_retention('data.fact', '90 days')")
    now = datetime.now(UTC)
    for hours in (23, 25):
        ts = (now - timedelta(days=90, hours=hours)).isoformat()
        ingest_facts(db, fact(fact_id=str(hours), ts=ts), now=now - timedelta(days=5))
    drop_chunks_before(db, now + timedelta(days=30))

    db.execute("call internal.prune(0, %s)", [CONFIG])
    assert db.execute("select fact_id from data.fact_identity").fetchall() == [("23",)]


def test_facts_of_a_time_whose_identities_were_deleted_are_refused_for_good(
    db: Connection,
) -> None:
    now = datetime.now(UTC)
    sale = fact(fact_id="sale", ts=(now - timedelta(days=100)).isoformat())
    ingest_facts(db, sale, now=now)
    db.execute("select ops.set_retention('data.fact', '90 days')")
    drop_chunks_before(db, now + timedelta(days=30))
    db.execute("call internal.prune(0, %s)", [CONFIG])

    # Days count it still: it would be counted twice.
    db.execute("select ops.set_retention('data.fact', '5 years')")
    with refused(db, "items_refused"):
        ingest_facts(db, sale, now=now)


def test_identities_are_kept_while_their_facts_are_stored_whatever_the_retention(
    db: Connection,
) -> None:
    now = datetime.now(UTC)
    sale = fact(fact_id="sale", ts=(now - timedelta(days=60)).isoformat())
    ingest_facts(db, sale, now=now)

    keep_samples_for(db, "30 days")
    db.execute("call internal.prune(0, %s)", [CONFIG])
    keep_samples_for(db, "90 days")
    assert ingest_facts(db, sale, now=now)["duplicate"] == 1


def test_the_job_has_its_config(db: Connection) -> None:
    config = ask(db, "select config from timescaledb_information.jobs where proc_name = 'prune'")
    assert config == {
        "idempotency_keys": "7 days",
        "conflicts": "90 days",
        "restatements": "400 days",
        "proofs": "400 days",
        "health_intervals": "1830 days",
        "deliveries": "7 days",
    }
