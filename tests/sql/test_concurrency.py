"""Many sessions at once: nothing is lost, doubled or deadlocked."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier, Event

import psycopg
import pytest
from psycopg import Connection
from psycopg.types.json import Jsonb

from tests.sql.alerts import above, define, evaluate
from tests.sql.calls import (
    NOW,
    Item,
    Json,
    ago,
    ask,
    fact,
    ingest_facts,
    ingest_metrics,
    metric,
    query_agg,
    query_facts,
)
from tests.sql.registry import register, server_json
from tests.sql.test_silences import silence
from tests.support.waiting import eventually

SESSIONS = 8

pytestmark = pytest.mark.native_only("many sessions at once")


def at_once(url: str, work: Callable[[Connection, int], Json]) -> list[Json]:
    """What `work` answers to each of the sessions that start together."""
    start = Barrier(SESSIONS)

    def run(number: int) -> Json:
        with psycopg.connect(url, autocommit=True, prepare_threshold=None) as conn:
            start.wait()
            return work(conn, number)

    with ThreadPoolExecutor(SESSIONS) as pool:
        return list(pool.map(run, range(SESSIONS)))


def batch(size: int = 200) -> list[Item]:
    return [
        metric(f"m{n % 5}", f"s{n % 7}", n, labels={"n": str(n % 11)}, ts=ago(minutes=n))
        for n in range(size)
    ]


def test_a_batch_of_new_series_sent_by_all_is_stored_once(fresh_database: str) -> None:
    answers = at_once(fresh_database, lambda conn, _: ingest_metrics(conn, batch()))

    assert sum(answer["accepted"] for answer in answers) == 200
    assert sum(answer["duplicate"] for answer in answers) == 200 * (SESSIONS - 1)
    with psycopg.connect(fresh_database) as conn:
        assert ask(conn, "select count(*) from data.sample") == 200
        assert ask(conn, "select count(*) from data.series") == 200


def test_facts_sent_by_all_are_stored_once(fresh_database: str) -> None:
    facts = [fact(fact_id=str(n), source=f"s{n % 7}", ts=ago(minutes=n)) for n in range(200)]
    answers = at_once(fresh_database, lambda conn, _: ingest_facts(conn, facts))

    assert sum(answer["accepted"] for answer in answers) == 200
    assert sum(answer["duplicate"] for answer in answers) == 200 * (SESSIONS - 1)
    with psycopg.connect(fresh_database) as conn:
        assert len(query_facts(conn, limit=1000)["items"]) == 200
        assert query_agg(conn, "Fact:Deal")["count"] == 200


def test_the_same_items_in_other_orders_do_not_deadlock(fresh_database: str) -> None:
    def send(conn: Connection, number: int) -> Json:
        rng = random.Random(number)
        counts = {"accepted": 0, "duplicate": 0, "conflict": 0}
        for n in range(6):
            items = [{**item, "ts": ago(days=n, minutes=k)} for k, item in enumerate(batch())]
            rng.shuffle(items)
            facts = [fact(fact_id=f"{n}-{k}", ts=ago(minutes=k)) for k in range(200)]
            rng.shuffle(facts)
            for answer in (ingest_metrics(conn, items), ingest_facts(conn, facts)):
                counts = {key: counts[key] + answer[key] for key in counts}
        return counts

    answers = at_once(fresh_database, send)

    totals = {key: sum(answer[key] for answer in answers) for key in answers[0]}
    assert totals == {"accepted": 2400, "duplicate": 2400 * (SESSIONS - 1), "conflict": 0}


def test_two_orders_of_the_same_new_facts_wait_for_each_other_in_one(fresh_database: str) -> None:
    waiting = "select count(*) from pg_stat_activity where cardinality(pg_blocking_pids(pid)) > 0"

    def send(names: str) -> Json:
        with psycopg.connect(fresh_database, autocommit=True) as conn:
            return ingest_facts(conn, [fact(fact_id=name) for name in names])

    with (
        psycopg.connect(fresh_database, autocommit=True) as first,
        psycopg.connect(fresh_database, autocommit=True) as watch,
        ThreadPoolExecutor(2) as pool,
    ):
        ingest_facts(first, fact(fact_id="known"))
        with first.transaction(force_rollback=True):
            ingest_facts(first, fact(fact_id="m"))
            answers = []
            for names in ("amz", "zma"):
                answers.append(pool.submit(send, names))
                eventually(lambda: ask(watch, waiting) == len(answers), "waiting")
        accepted = [answer.result()["accepted"] for answer in answers]
        stored = query_facts(watch, limit=10)["items"]
    assert sorted(accepted) == [0, 3]
    assert len(stored) == 4


def test_other_values_of_the_same_instants_conflict_once_each(fresh_database: str) -> None:
    answers = at_once(
        fresh_database,
        lambda conn, number: ingest_metrics(
            conn, [metric(value=number, ts=ago(minutes=n)) for n in range(100)]
        ),
    )

    assert sum(answer["accepted"] for answer in answers) == 100
    assert sum(answer["conflict"] for answer in answers) == 100 * (SESSIONS - 1)


def test_one_key_sent_by_all_gives_one_receipt(fresh_database: str) -> None:
    answers = at_once(fresh_database, lambda conn, _: ingest_facts(conn, [fact(), fact()], key="k"))

    assert answers == [answers[0]] * SESSIONS
    with psycopg.connect(fresh_database) as conn:
        assert query_agg(conn, "Fact:Deal")["count"] == 2


def test_a_new_kind_gets_one_type(fresh_database: str) -> None:
    def send(conn: Connection, number: int) -> Json:
        kind = ("gauge", "counter")[number % 2]
        items = [metric("new", f"s{number}", type=kind, ts=ago(minutes=1))]
        return ingest_metrics(conn, items, partial=True)

    answers = at_once(fresh_database, send)

    assert sum(answer["accepted"] for answer in answers) == SESSIONS / 2
    assert sum(len(answer["rejected"]) for answer in answers) == SESSIONS / 2


def test_a_sample_that_commits_after_the_first_refresh_is_counted(fresh_database: str) -> None:
    now = datetime.now(UTC)
    times = [(now - timedelta(hours=hours)).isoformat() for hours in range(2, 99)]
    under_way = (now - timedelta(hours=50, minutes=1)).isoformat()
    with (
        psycopg.connect(fresh_database, autocommit=True) as conn,
        psycopg.connect(fresh_database) as slow,
    ):
        ingest_metrics(conn, [metric("early", ts=ts) for ts in times], now=now)
        ingest_metrics(slow, metric("early", ts=under_way), now=now)
        conn.execute('call internal.refresh_rollups(0, \'{"end_offset": "1 hour"}\')')
        slow.commit()

        assert query_agg(conn, "early", "7d", now=now)["count"] == 98


def test_answers_stay_exact_while_rollups_are_made(fresh_database: str) -> None:
    done = Event()

    def refresh(conn: Connection) -> None:
        rng = random.Random(1)
        while not done.is_set():
            end = NOW - timedelta(hours=rng.choice([1, 2, 30, 24 * 5]))
            try:
                if rng.random() < 0.25:
                    conn.execute("call internal.refresh_late(0, '{}')")
                elif rng.random() < 0.5:
                    age = datetime.now(UTC) - NOW + timedelta(minutes=rng.uniform(0, 200))
                    config = {
                        "end_offset": f"{age.total_seconds()} seconds",
                        "min_samples": 1,
                        "samples_per_row": 0,
                    }
                    conn.execute("call internal.refresh_recent(0, %s)", [Jsonb(config)])
                else:
                    conn.execute(
                        "call internal.refresh_range(%s, %s, %s)",
                        [end - timedelta(days=89), end, end],
                    )
            except psycopg.errors.LockNotAvailable:
                pass

    def write_and_read(conn: Connection, number: int) -> int:
        rng = random.Random(number)
        sent = 0
        for n in range(60):
            days = rng.choice([29, 0.2])
            items = [
                metric(
                    f"kind{number}", ts=ago(days=rng.uniform(0, days), seconds=n, microseconds=k)
                )
                for k in range(20)
            ]
            sent += ingest_metrics(conn, items)["accepted"]
            answer = query_agg(conn, f"kind{number}", "30d", group_by="source")
            assert answer["count"] == sent
            assert sum(group["count"] for group in answer["groups"]) == sent
        return sent

    def run(number: int) -> int:
        with psycopg.connect(fresh_database, autocommit=True, prepare_threshold=None) as conn:
            if number < 2:
                refresh(conn)
                return 0
            return write_and_read(conn, number)

    with psycopg.connect(fresh_database, autocommit=True, prepare_threshold=None) as conn:
        # By the clock of the server, samples of NOW are too old to refresh.
        for relation in ("sample", "sample_1h", "kind_1h"):
            conn.execute("select remove_retention_policy(%s)", [f"data.{relation}"])
    with ThreadPoolExecutor(6) as pool:
        refreshers = [pool.submit(run, number) for number in (0, 1)]
        try:
            assert all(pool.map(run, range(2, 6)))
        finally:
            done.set()
        for refresher in refreshers:
            refresher.result()


def test_two_evaluators_write_a_transition_once(fresh_database: str) -> None:
    with psycopg.connect(fresh_database, autocommit=True) as conn:
        ingest_metrics(
            conn, [metric(source=f"s{n}", value=3, ts=ago(minutes=1)) for n in range(50)]
        )
        for number in range(20):
            define(conn, above(2, group_by="source"), name=f"rule_{number}")

    counts = at_once(fresh_database, lambda conn, _: {"transitions": evaluate(conn)})

    assert sum(count["transitions"] for count in counts) == 1000
    with psycopg.connect(fresh_database) as conn:
        assert ask(conn, "select count(*) from data.alert_transition") == 1000
        assert ask(conn, "select count(*) from data.alert") == 1000


def test_changes_by_all_make_one_chain_of_the_audit_without_a_deadlock(
    fresh_database: str,
) -> None:
    def change(conn: Connection, number: int) -> Json:
        rng = random.Random(number)
        for n in range(40):
            name = f"s{rng.randrange(4)}"
            with conn.transaction():
                # In the same order always: only the audit could make two wait for each other.
                silence(conn, name, comment=f"{number} {n}")
                register(conn, server_json(f"{number}.{n}.0"), name=f"acme/{number}")
        return {}

    at_once(fresh_database, change)

    with psycopg.connect(fresh_database) as conn:
        assert ask(conn, "select fault from ops.verify_audit()") is None
        assert ask(conn, "select checked from ops.verify_audit()") > SESSIONS * 40
