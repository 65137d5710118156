"""Requests that are sent again."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from tests.sql.calls import (
    NOW,
    ago,
    ask,
    fact,
    ingest_facts,
    ingest_metrics,
    metric,
    query_agg,
    receipt,
    refused,
)

LATER = NOW + timedelta(minutes=10)


def test_a_repeated_key_gets_the_first_receipt(db: Connection) -> None:
    first = ingest_metrics(db, [metric(), metric(source="db")], key="k")

    assert ingest_metrics(db, [metric(), metric(source="db")], key="k", now=LATER) == first
    assert query_agg(db, now=LATER)["count"] == 2


def test_the_key_of_another_sender_is_another_key(db: Connection) -> None:
    for actor in ("ann", "bob"):
        ask(db, "select set_config('supervisor.actor', %s, true)", actor)
        items = [metric(source=actor)]
        assert ingest_metrics(db, items, key="k")["accepted"] == 1
        assert ingest_metrics(db, items, key="k") == receipt(1)
        with refused(db, "idempotency_key_reused"):
            ingest_metrics(db, [metric(source="other")], key="k")


def test_a_repeated_key_saves_facts_without_instants(db: Connection) -> None:
    first = ingest_facts(db, [fact(), fact()], key="k")

    assert ingest_facts(db, [fact(), fact()], key="k", now=LATER) == first
    assert query_agg(db, "Fact:Deal", now=LATER)["count"] == 2


def test_a_repeated_key_returns_the_kinds_again(db: Connection) -> None:
    call = "select kinds from api.ingest_metrics(%s::json, false, 'k', %s)"
    body = '{"name": "cpu", "source": "web", "value": 1}'

    assert ask(db, call, body, NOW) == ask(db, call, body, LATER) == ["cpu"]


def test_a_key_with_another_body_is_refused(db: Connection) -> None:
    ingest_metrics(db, metric(), key="k")

    with refused(db, "idempotency_key_reused"):
        ingest_metrics(db, metric(value=2), key="k")


def test_metrics_and_facts_have_keys_of_their_own(db: Connection) -> None:
    ingest_metrics(db, metric(), key="k")

    assert ingest_facts(db, fact(), key="k")["accepted"] == 1


def test_a_refused_request_leaves_its_key_free(db: Connection) -> None:
    with refused(db, "items_refused"):
        ingest_metrics(db, metric(value="x"), key="k")

    assert ingest_metrics(db, metric(), key="k")["accepted"] == 1


@pytest.mark.parametrize("key", ["", "a b", "a\n", "k" * 201])
def test_a_key_is_graphic_and_short(db: Connection, key: str) -> None:
    with refused(db, "idempotency_key_well_formed") as refusal:
        ingest_metrics(db, metric(), key=key)
    assert "white space" in refusal.hint


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    seed=st.integers(0, 2**32),
    rounds=st.lists(st.integers(1, 12), min_size=1, max_size=6),
)
def test_retries_of_any_part_in_any_order_change_nothing(
    db: Connection, seed: int, rounds: list[int]
) -> None:
    rng = random.Random(seed)
    metrics = [
        metric(source=f"s{n % 3}", value=rng.uniform(-9, 9), ts=ago(minutes=n)) for n in range(12)
    ]
    facts = [fact(fact_id=f"f{n}", value=n, ts=ago(minutes=n)) for n in range(12)]
    with db.transaction(force_rollback=True):
        accepted = [0, 0]
        for size in [*rounds, 12]:
            for place, (ingest, items) in enumerate(
                [(ingest_metrics, metrics), (ingest_facts, facts)]
            ):
                answer = ingest(db, rng.sample(items, size))
                accepted[place] += answer["accepted"]
                assert answer["accepted"] + answer["duplicate"] == size
        assert accepted == [12, 12]
        assert query_agg(db)["count"] == query_agg(db, "Fact:Deal")["count"] == 12
