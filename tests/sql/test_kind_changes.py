"""The log of changed kinds: nothing that is committed is missed, in whatever order it commits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from psycopg import Connection
from psycopg.pq import TransactionStatus

from tests.sql.calls import Json, ago, ask, fact, ingest_facts, ingest_metrics, metric


def visibility(db: Connection) -> str:
    return str(ask(db, "select api.get_visibility()"))


def changes(db: Connection, since: str | None) -> dict[str, list[int]]:
    found: dict[str, dict[str, list[int]]] | None = ask(
        db, "select changes from api.list_changes(%s)", since
    )
    return (found or {}).get("", {})


def own_number(db: Connection) -> int:
    number: int = ask(db, "select pg_current_xact_id()::text::bigint")
    return number


def outcome(db: Connection, function: str, body: str, key: str | None = None) -> tuple[Any, ...]:
    statement = f"select answer, kinds, change from api.{function}(%s, true, %s, now())"
    row = db.execute(statement.encode(), [body, key]).fetchone()
    assert row is not None
    return row


ONE_MINUTE = datetime(1970, 1, 1, 0, 1, tzinfo=UTC)


@pytest.fixture
def sessions(fresh_database: str) -> Iterator[list[Connection]]:
    made = [psycopg.connect(fresh_database, prepare_threshold=None) for _ in range(3)]
    yield made
    for connection in made:
        connection.close()


def test_an_ingest_logs_each_of_its_kinds_once(db: Connection) -> None:
    before = visibility(db)
    ingest_metrics(db, [metric("b"), metric("a"), metric("a", source="db")])
    ingest_facts(db, [fact()])

    number = own_number(db)
    assert changes(db, before) == {"a": [number], "b": [number], "Fact:Deal": [number]}


def test_a_duplicate_and_a_conflict_are_changes_too(db: Connection) -> None:
    ingest_metrics(db, [metric("a", ts=0), metric("b", ts=0)], now=ONE_MINUTE)
    db.execute("delete from data.kind_change")
    retried = [metric("a", ts=0), metric("b", ts=0, value=7)]

    receipt: Json = ingest_metrics(db, retried, now=ONE_MINUTE)
    assert (receipt["duplicate"], receipt["conflict"]) == (1, 1)
    assert ask(db, "select count(*) from data.kind_change") == 2


def test_a_refused_batch_changes_nothing(db: Connection) -> None:
    before = visibility(db)
    outcome(db, "ingest_metrics", '[{"name": "a"}]')

    assert changes(db, before) == {}


@pytest.mark.parametrize(
    ("function", "body", "kind"),
    [
        ("ingest_metrics", '[{"name": "a", "source": "s", "value": 1, "ts": "%s"}, 1]', "a"),
        ("ingest_facts", '[{"kind": "Fact:A", "source": "s", "ts": "%s"}, 1]', "Fact:A"),
    ],
)
def test_a_retry_names_the_kinds_and_the_transaction_as_the_first_time(
    db: Connection, function: str, body: str, kind: str
) -> None:
    body = body.replace("%s", str(ask(db, "select to_json(now()) #>> '{}'")))
    for key in (None, None, "key", "key"):
        _, kinds, change = outcome(db, function, body, key)
        assert (kinds, change) == ([kind], own_number(db))


def test_nothing_is_read_without_a_visibility_to_compare_with(db: Connection) -> None:
    ingest_metrics(db, metric())

    assert changes(db, None) == {}


@pytest.mark.native_only("many sessions at once")
def test_a_transaction_that_commits_after_later_ones_is_not_missed(
    sessions: list[Connection],
) -> None:
    slow, fast, reader = sessions
    ingest_metrics(slow, [metric("slow", ts=ago(hours=1)), metric("fast", ts=ago(hours=1))])
    slow.commit()
    since = visibility(reader)
    reader.commit()
    ingest_metrics(slow, metric("slow"))
    first = own_number(slow)
    ingest_metrics(fast, metric("fast"))
    second = own_number(fast)
    fast.commit()
    row = reader.execute("select visibility, changes from api.list_changes(%s)", [since]).fetchone()
    reader.commit()
    assert first < second
    assert row is not None
    assert row[1] == {"": {"fast": [second]}}

    slow.commit()
    assert changes(reader, row[0]) == {"slow": [first]}


@pytest.mark.native_only("many sessions at once")
@pytest.mark.parametrize("ingested", ["metrics", "facts"])
def test_ingests_of_one_kind_do_not_wait_for_each_other(
    sessions: list[Connection], ingested: str
) -> None:
    slow, fast, _ = sessions

    def ingest(session: Connection, source: str, name: str) -> None:
        if ingested == "metrics":
            ingest_metrics(session, metric("cpu", source=source))
        else:
            ingest_facts(session, [fact(source=source, fact_id=name)])

    for source in ("a", "b"):
        ingest(slow, source, "before")
    slow.commit()
    ingest(slow, "a", "open")
    fast.execute("set local lock_timeout = '1s'")
    ingest(fast, "b", "done")
    fast.commit()
    assert slow.info.transaction_status is TransactionStatus.INTRANS
    slow.commit()


@pytest.mark.parametrize(
    "statement", ["update data.sample set value = 9", "delete from data.sample"]
)
def test_a_change_by_hand_is_one_of_its_kinds(db: Connection, statement: str) -> None:
    ingest_metrics(db, [metric("cpu", ts=ago(minutes=n)) for n in range(9)] + [metric("memory")])
    db.execute("delete from data.kind_change")
    chosen = f"{statement} where kind_id = (select kind_id from data.kind where name = 'cpu')"
    db.execute(chosen.encode())

    changed = db.execute("select name from data.kind_change inner join data.kind using (kind_id)")
    assert changed.fetchall() == [("cpu",)]


def test_a_statement_notes_each_late_hour_once(db: Connection) -> None:
    ingest_metrics(db, [metric(ts=ago(minutes=n)) for n in range(120)])
    db.execute("delete from data.late_hour")
    db.execute("delete from data.sample")

    noted = db.execute("select bucket, samples from data.late_hour order by bucket").fetchall()
    assert [samples for _, samples in noted] == [0] * 3
    assert len({bucket for bucket, _ in noted}) == 3
