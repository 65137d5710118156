"""Namespaces in SQL: what is stored in one is not there for another one."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Connection

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
from tests.support.tenants import ACME, TENANTS, UMBRELLA, within

NAMESPACES = ("", "acme", "umbrella")

metrics = st.builds(
    metric,
    name=st.sampled_from(("cpu", "memory")),
    source=st.sampled_from(("web", "db")),
    value=st.integers(-3, 3),
    ts=st.integers(0, 5).map(lambda minutes: ago(minutes=minutes)),
    labels=st.sampled_from(({}, {"region": "eu"})),
)
facts = st.builds(
    fact,
    source=st.sampled_from(("crm", "shop")),
    fact_id=st.sampled_from(("a", "b")),
    value=st.integers(0, 2),
    ts=st.integers(0, 5).map(lambda minutes: ago(minutes=minutes)),
)
batches = st.tuples(
    st.sampled_from(NAMESPACES),
    st.one_of(st.lists(metrics, min_size=1, max_size=4), st.lists(facts, min_size=1, max_size=4)),
)


@given(st.lists(batches, max_size=8))
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_what_others_ingest_in_between_changes_nothing(
    db: Connection, sent: list[tuple[str, list[Item]]]
) -> None:
    together = outcomes(db, sent, *NAMESPACES)
    for namespace in NAMESPACES:
        alone = outcomes(db, [batch for batch in sent if batch[0] == namespace], namespace)
        assert together[namespace] == alone[namespace]


def outcomes(
    db: Connection, sent: Sequence[tuple[str, list[Item]]], *namespaces: str
) -> dict[str, list[Any]]:
    """By namespace, the receipts of batches in their order, and what there is afterwards."""
    found: dict[str, list[Any]] = {namespace: [] for namespace in namespaces}
    with db.transaction(force_rollback=True):
        for namespace, items in sent:
            ingest = ingest_metrics if "name" in items[0] else ingest_facts
            with within(db, namespace):
                found[namespace].append(ingest(db, items, partial=True))
        for namespace in namespaces:
            with within(db, namespace):
                found[namespace] += [
                    ask(db, "select api.query_agg(null, '7d', null, null, null, null, %s)", NOW),
                    ask(db, "select api.list_kinds(null, null, null, null)"),
                    query_facts(db),
                ]
    return found


def test_the_default_namespace_is_that_of_who_sets_none(db: Connection) -> None:
    ingest_metrics(db, metric(ts=ago(hours=1)))
    with within(db, "acme"):
        assert ask(db, "select count(*) from data.kind") == 0
    with within(db, ""):
        assert query_agg(db)["count"] == 1


@pytest.mark.parametrize(
    ("namespace", "is_good"),
    [
        ("acme", True),
        ("acme-2", True),
        ("a" * 63, True),
        ("a" * 64, False),
        ("Acme", False),
        ("acme_2", False),
        ("acme corp", False),
        ("acme:agg", False),
        ("äcme", False),
        ("acme\n", False),
    ],
)
def test_a_namespace_is_lower_case_letters_digits_and_hyphens(
    db: Connection, namespace: str, is_good: bool
) -> None:
    refused = pytest.raises(psycopg.errors.CheckViolation, match="namespace_well_formed")
    with nullcontext() if is_good else refused, within(db, namespace):
        ingest_metrics(db, metric())


def test_a_view_takes_no_row_of_another_namespace(db: Connection) -> None:
    refused = pytest.raises(psycopg.errors.WithCheckOptionViolation)
    with refused, within(db, "acme"):
        db.execute(
            "insert into data.source (name, created_at, namespace) values ('s', now(), 'umbrella')"
        )


def test_a_view_moves_no_row_to_another_namespace(db: Connection) -> None:
    with within(db, "acme"):
        ingest_metrics(db, metric())
    refused = pytest.raises(psycopg.errors.WithCheckOptionViolation)
    with refused, within(db, "acme"):
        db.execute("update data.kind set namespace = ''")


def test_what_clients_name_is_read_through_views_of_a_namespace(db: Connection) -> None:
    rows = db.execute(
        """
        select
            base.relname,
            strpos(pg_get_viewdef(view.oid), 'current_setting(''supervisor.namespace''') > 0
        from pg_class as base
        left join pg_class as view
            on base.relnamespace = view.relnamespace
            and view.relname = substr(base.relname, length('every_') + 1)
            and view.relkind = 'v'
        where base.relnamespace = 'data'::regnamespace and base.relname like 'every\\_%'
            and base.relkind = 'r'
        order by 1
        """
    ).fetchall()
    assert rows == [
        (f"every_{noun}", True)
        for noun in sorted(
            (
                "alert",
                "alert_rule",
                "idempotency_key",
                "kind",
                "kpi",
                "maintenance",
                "pin",
                "server",
                "silence",
                "silence_version",
                "snapshot",
                "source",
                "subscription",
            )
        )
    ]


def test_an_evaluation_reads_the_kinds_of_the_namespace_of_its_rules(db: Connection) -> None:
    for tenant, value in ((ACME, 1), (UMBRELLA, 9)):
        with within(db, tenant.namespace):
            ingest_metrics(db, metric(value=value, ts=ago(minutes=1)))
            define(db, above(5))
    rules = [
        ask(db, "select array_agg(rule_id) from data.every_alert_rule where namespace = %s", name)
        for name in ("acme", "umbrella")
    ]

    # A job works in none of them.
    counts = [ask(db, "select internal.evaluate_alert_rules(%s, %s)", rule, NOW) for rule in rules]

    assert counts == [0, 1]
    assert ask(db, "select array_agg(namespace) from data.every_alert") == ["umbrella"]
    assert ask(db, "select internal.namespace()") == ""


def test_an_alert_with_the_labels_of_one_elsewhere_is_another_one(db: Connection) -> None:
    for tenant in (ACME, UMBRELLA):
        with within(db, tenant.namespace):
            ingest_metrics(db, metric(value=9, ts=ago(minutes=1)))
            define(db, above(5))
            assert evaluate(db) == 1
    assert ask(db, "select count(distinct fingerprint) from data.every_alert") == 1
    for tenant in (ACME, UMBRELLA):
        with within(db, tenant.namespace):
            assert ask(db, "select count(*) from data.alert") == 1


def test_the_change_log_names_the_namespaces_of_kinds(db: Connection) -> None:
    before = ask(db, "select api.get_visibility()")
    for namespace in ("", "acme"):
        with within(db, namespace):
            ingest_metrics(db, metric())
    found = ask(db, "select changes from api.list_changes(%s)", before)
    assert {name: list(kinds) for name, kinds in found.items()} == {"": ["cpu"], "acme": ["cpu"]}


def test_servers_of_all_namespaces_are_probed_each_by_its_own_name(db: Connection) -> None:
    for tenant in TENANTS:
        tenant.fill(db)
    db.execute("update data.every_server set probe = true where name = 'search'")

    def due(*busy: str) -> list[tuple[str, str]]:
        found: list[Json] = ask(db, "select api.list_probe_targets(10, %s, %s)", list(busy), NOW)
        return sorted((target["namespace"], target["server"]) for target in found)

    assert due() == [("", "search"), ("acme", "search"), ("umbrella", "search")]
    assert due("search", "acme@search") == [("umbrella", "search")]


def test_a_quota_says_nothing_of_what_others_have(db: Connection) -> None:
    with within(db, "umbrella"):
        ingest_metrics(db, [metric(f"kind_{number}") for number in range(7)])
    db.execute("update data.quota set value = 8 where name = 'kinds'")

    with within(db, "acme"), pytest.raises(psycopg.DatabaseError) as refused, db.transaction():
        ingest_metrics(db, [metric("a"), metric("b")])

    assert refused.value.diag.message_primary == "the batch would add 2 kinds; the quota is 8"
    assert '"present"' not in (refused.value.diag.message_detail or "")
