"""The job that deletes old idempotency keys, conflicts and identities of facts."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from psycopg import Connection

from tests.sql.calls import ask, fact, ingest_facts, ingest_metrics, metric, query_facts, refused

ALL = (
    "idempotency_keys",
    "conflicts",
    "restatements",
    "proofs",
    "health_intervals",
    "deliveries",
)
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


@pytest.mark.parametrize(
    "row",
    [
        "every_idempotency_key (operation, actor, key, body_digest, received_at)"
        " values ('ingest', 'ann', %(n)s, '', %(at)s)",
        "conflict (source_id, kind_id, digest, ts, item, first_received_at, last_received_at,"
        " attempts) values (1, 1, %(n)s, %(at)s, '{}', %(at)s, %(at)s, 1)",
        "aggregate_restatement (kind_id, during, noted_at, restated_at, late_samples, before,"
        " after) values (1, tstzrange('2020-01-01', %(at)s), %(at)s, %(at)s,"
        " %(n)s, '{}', '{}')",
        "proof (rollup, bucket, matches, checked_at) values ('sample_1h', %(at)s, true, %(at)s)",
        "health_interval (server_id, signal, status, during)"
        " values (%(n)s, 'report', 'up', tstzrange('2020-01-01', %(at)s))",
        "service_uptime (during) values (tstzrange('2020-01-01', %(at)s))",
        "delivery (subscription_id, group_key, payload, created_at, next_at, delivered_at)"
        " values (1, %(n)s, '{}', %(at)s, %(at)s, %(at)s)",
        "delivery (subscription_id, group_key, payload, created_at, next_at, failed_at)"
        " values (1, %(n)s, '{}', %(at)s, %(at)s, %(at)s)",
        "outbox (subscription_id, group_key, item, due_at) values (1, %(n)s, '{}', %(at)s)",
    ],
)
def test_what_is_as_old_as_the_config_says_is_kept_and_what_is_older_is_not(
    db: Connection, row: str
) -> None:
    table = row.partition(" ")[0]
    # Without the servers and subscriptions that the rows belong to.
    db.execute("set local session_replication_role = replica")
    edge = ask(db, "select now() - interval '7 days'")
    db.execute(f"insert into data.{row}".encode(), {"n": "1", "at": edge})
    kept = db.execute(f"select * from data.{table}".encode()).fetchall()
    older = edge - timedelta(microseconds=1)
    db.execute(f"insert into data.{row}".encode(), {"n": "2", "at": older})

    db.execute("call internal.prune(0, %s)", [json.dumps(dict.fromkeys(ALL, "7 days"))])
    assert db.execute(f"select * from data.{table}".encode()).fetchall() == kept


def test_identities_are_kept_to_the_microsecond_and_the_time_of_the_others_is_noted(
    db: Connection,
) -> None:
    moment = timedelta(microseconds=1)
    edge = ask(db, "select now() - internal.retention('fact') - interval '1 day'")
    for n in (2, 1, 0):
        db.execute(
            "insert into data.fact_identity (source_id, fact_id, digest, ts, series_id)"
            " values (1, %s, 0, %s, 1)",
            [str(n), edge - n * moment],
        )
    db.execute(
        "update data.complete_since set since = %s where relation = 'fact_identity'",
        [edge - moment],
    )
    noted = "select json_object_agg(relation, since) from data.complete_since"
    before = ask(db, noted)

    db.execute("call internal.prune(0, %s)", [CONFIG])
    assert db.execute("select fact_id from data.fact_identity").fetchall() == [("0",)]
    after = ask(db, noted)
    assert datetime.fromisoformat(after["fact_identity"]) == edge
    assert {**after, "fact_identity": None} == {**before, "fact_identity": None}


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
