"""Registration of kinds, sources and series: quotas, and no number for what is refused."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import Connection

from tests.sql.calls import (
    NOW,
    Item,
    ago,
    ask,
    fact,
    faults,
    histogram,
    ingest_facts,
    ingest_metrics,
    metric,
    receipt,
    refused,
)
from tests.sql.test_concurrency import SESSIONS, at_once

QUOTA = "series_within_quota"
# Kinds, sources, series, facts: columns that number rows.
NUMBERED = {
    "data.every_kind": "kind_id",
    "data.every_source": "source_id",
    "data.series": "series_id",
    "data.fact_identity": "seq",
}


def numbers_used(db: Connection) -> dict[str, int]:
    """How many numbers each table has given; sequences do not roll back."""
    statement = (
        "select case when is_called then last_value else 0 end"
        " from {sequence}"  # the name comes from pg_get_serial_sequence
    )
    used = {}
    for table, column in NUMBERED.items():
        sequence = ask(db, "select pg_get_serial_sequence(%s, %s)", table, column)
        used[table] = ask(db, statement.format(sequence=sequence))
    return used


def set_quota(db: Connection, name: str, value: int) -> None:
    db.execute("update data.quota set value = %s where name = %s", [value, name])


def labelled(count: int, **more: object) -> list[Item]:
    return [metric(labels={"n": str(n)}, **more) for n in range(count)]


@pytest.mark.parametrize(
    "items",
    [
        [metric("a"), metric("b", "s1", value="x")],
        [metric("a"), metric("a", "s1", type="counter"), metric("b", "s2")],
        [metric("a", unit="s"), metric("a", "s1", unit="ms")],
        [metric("cpu", unit="s"), metric("cpu", "s1", unit="ms")],
        [metric("a"), histogram([1], [1, 2], 3, name="a", source="s1")],
    ],
)
def test_a_batch_of_refused_items_uses_no_numbers(db: Connection, items: list[Item]) -> None:
    ingest_metrics(db, metric())
    before = numbers_used(db)

    faults(db, items)
    assert numbers_used(db) == before


@pytest.mark.parametrize(
    "quota", ["kinds", "sources", "series", "new_series_per_hour", "new_series_per_source_and_hour"]
)
def test_a_batch_beyond_a_quota_uses_no_numbers(db: Connection, quota: str) -> None:
    set_quota(db, quota, 1)
    ingest_metrics(db, metric())
    before = numbers_used(db)

    with refused(db, QUOTA):
        ingest_metrics(
            db, [metric("a", "s1"), metric("a", "s1", labels={"b": "c"}), metric("b", "s2")]
        )
    with refused(db, QUOTA):
        ingest_facts(db, [fact("Fact:A", "s1"), fact("Fact:B", "s1"), fact("Fact:A", "s2")])
    assert numbers_used(db) == before


def test_rows_that_exist_use_no_numbers(db: Connection) -> None:
    items = labelled(5, ts=ago(hours=1))
    facts = [fact(fact_id=str(n)) for n in range(5)]
    ingest_metrics(db, items)
    ingest_facts(db, facts)
    before = numbers_used(db)

    ingest_metrics(db, [*items, metric(labels={"n": "new"})])
    ingest_facts(db, [*facts, fact(fact_id="new")])
    ingest_metrics(db, metric(unit="s"))
    used = {table: n - before[table] for table, n in numbers_used(db).items()}
    assert used == {
        "data.every_kind": 0,
        "data.every_source": 0,
        "data.series": 2,
        "data.fact_identity": 1,
    }


def test_a_refused_item_of_a_partial_batch_registers_nothing(db: Connection) -> None:
    items = [metric("a"), metric("a", "s1", type="counter"), metric("b", "s2", value="x")]

    ingest_metrics(db, items, partial=True)
    assert ask(db, "select array_agg(name) from data.source") == ["web"]
    assert ask(db, "select count(*) from data.series") == 1


@pytest.mark.parametrize(
    ("quota", "items", "message", "next_step"),
    [
        (
            "kinds",
            [metric("a"), metric("b")],
            "the batch would add 2 to 1 kinds; the quota is 2",
            "Put what varies into labels, not into names.",
        ),
        (
            "sources",
            [metric(source="a"), metric(source="b")],
            "the batch would add 2 to 1 sources; the quota is 2",
            "Name sources after servers or agents, not after runs or requests.",
        ),
        (
            "series",
            labelled(2),
            "the batch would add 2 to 1 series; the quota is 2",
            "Use fewer distinct label values (no ids, no timestamps).",
        ),
        (
            "new_series_per_hour",
            labelled(2),
            "the batch would add 2 to 1 new series per hour; the quota is 2",
            "Use fewer distinct label values (no ids, no timestamps), or continue in an hour.",
        ),
        (
            "new_series_per_source_and_hour",
            labelled(2),
            'the batch would add 2 to 1 new series per hour of source "web"; the quota is 2',
            "Use fewer distinct label values (no ids, no timestamps), or continue in an hour.",
        ),
    ],
)
def test_the_refusal_names_the_quota_and_the_next_step(
    db: Connection, quota: str, items: list[Item], message: str, next_step: str
) -> None:
    set_quota(db, quota, 2)
    ingest_metrics(db, metric())

    with refused(db, QUOTA) as refusal:
        ingest_metrics(db, items)
    assert refusal.message == message
    raising = f"select ops.set_quota('{quota}', 4);"
    hourly = quota.startswith("new_series")
    pruning = "" if hourly else " The daily job prune_catalogue deletes what has no data."
    raising = f"A database administrator raises the quota: {raising}"
    assert refusal.hint == f"{next_step}{pruning} {raising}"
    params = {"quota": quota, "allowed": 2, "present": 1, "added": 2}
    if hourly:
        # Time alone frees nothing of a total.
        params["retry_after_seconds"] = 3600
    if quota == "new_series_per_source_and_hour":
        params["source"] = "web"
    assert refusal.params == params
    db.execute(refusal.hint.partition("raises the quota: ")[2].encode())
    assert ingest_metrics(db, items) == receipt(2)


def test_what_is_registered_counts_against_the_quotas(db: Connection) -> None:
    ingest_metrics(db, [*labelled(3), metric("b", "s")])
    ingest_facts(db, [fact(), fact(source="web")])
    ingest_metrics(db, labelled(4, ts=ago(hours=1)))

    used = db.execute("select name, used from data.quota where used is not null").fetchall()
    assert dict(used) == {"kinds": 3, "sources": 3, "series": 7}


def test_a_full_quota_stops_no_known_series(db: Connection) -> None:
    ingest_metrics(db, labelled(2))
    ingest_facts(db, fact())
    db.execute("update data.quota set value = 1")

    assert ingest_metrics(db, labelled(2, ts=ago(hours=1))) == receipt(2)
    assert ingest_metrics(db, labelled(2, ts=ago(hours=2), unit="s")) == receipt(2)
    assert ingest_facts(db, fact()) == receipt(1)


@pytest.mark.native_only("many sessions at once")
def test_sessions_do_not_exceed_a_quota_together(fresh_database: str) -> None:
    with psycopg.connect(fresh_database, autocommit=True) as conn:
        set_quota(conn, "series", 20)

    def send(conn: Connection, number: int) -> dict[str, int]:
        try:
            return ingest_metrics(conn, labelled(3, source=f"s{number}"), now=NOW)
        except psycopg.Error as error:
            return {"accepted": 0, "refused": int(error.diag.constraint_name == QUOTA)}

    answers = at_once(fresh_database, send)

    assert sum(answer["accepted"] for answer in answers) == 18
    assert sum(answer.get("refused", 0) for answer in answers) == SESSIONS - 6
    with psycopg.connect(fresh_database) as conn:
        assert ask(conn, "select count(*) from data.series") == 18
        assert ask(conn, "select used from data.quota where name = 'series'") == 18
