"""Calls of the functions of schema api, and what tests expect of their answers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import Connection

# Long ago: no job and no real clock has anything to do with it.
NOW = datetime(2025, 6, 15, 12, 34, 56, 789000, tzinfo=UTC)

Item = Mapping[str, Any]
Json = dict[str, Any]


def ago(**parts: float) -> str:
    """RFC 3339 instant that long before NOW."""
    return (NOW - timedelta(**parts)).isoformat()


def metric(name: object = "cpu", source: object = "web", value: object = 1, **more: object) -> Item:
    """A metric item."""
    return {"name": name, "source": source, "value": value, **more}


def histogram(bounds: list[float], counts: list[int], total: float, **more: object) -> Item:
    """A metric item with a histogram of the metric `latency`."""
    value = {"bounds": bounds, "counts": counts, "sum": total, "count": sum(counts)}
    return {**metric("latency", value=value), **more}


def fact(kind: object = "Fact:Deal", source: object = "crm", **more: object) -> Item:
    """A fact item."""
    return {"kind": kind, "source": source, **more}


def ask(conn: Connection, statement: str, *values: object) -> Any:
    """First column of the first row."""
    row = conn.execute(statement, values).fetchone()
    return None if row is None else row[0]


def ingest_metrics(
    conn: Connection,
    items: object,
    *,
    partial: bool = False,
    key: str | None = None,
    now: datetime = NOW,
) -> Json:
    """The receipt for metric items."""
    statement = "select answer from api.ingest_metrics(%s::json, %s, %s, %s)"
    answer: Json = ask(conn, statement, as_body(items), partial, key, now)
    return answer


def ingest_facts(
    conn: Connection,
    items: object,
    *,
    partial: bool = False,
    key: str | None = None,
    now: datetime = NOW,
) -> Json:
    """The receipt for fact items."""
    statement = "select answer from api.ingest_facts(%s::json, %s, %s, %s)"
    answer: Json = ask(conn, statement, as_body(items), partial, key, now)
    return answer


def as_body(items: object) -> str:
    """A request body; text passes as it is."""
    return items if isinstance(items, str) else json.dumps(items)


def mark_rolled_up(conn: Connection, upto: datetime, rollup: str = "sample_1h") -> None:
    """Move the watermark of a rollup, whatever it has."""
    conn.execute(
        "update _timescaledb_catalog.continuous_aggs_watermark"
        " set watermark = _timescaledb_functions.to_unix_microseconds(%s)"
        " where mat_hypertable_id = (select mat_hypertable_id"
        " from _timescaledb_catalog.continuous_agg where user_view_name = %s)",
        [upto, rollup],
    )


def query_agg(
    conn: Connection,
    kind: str | None = "cpu",
    window: str | None = "7d",
    *,
    source: str | None = None,
    group_by: str | None = None,
    fields: list[str] | None = None,
    as_of: datetime | None = None,
    now: datetime = NOW,
) -> Json:
    """The aggregate of a kind."""
    statement = "select api.query_agg(%s, %s, %s, %s, %s, %s, %s)"
    answer: Json = ask(conn, statement, kind, window, source, group_by, fields, as_of, now)
    return answer


def query_facts(conn: Connection, *, now: datetime = NOW, **filters: object) -> Json:
    """A page of facts; filters are kind, source, subject, from, to, limit, cursor."""
    names = ("kind", "source", "subject", "from", "to", "limit", "cursor")
    assert set(filters) <= {*names, "from_"}
    filters["from"] = filters.pop("from_", None)
    statement = "select api.query_facts(%s, %s, %s, %s, %s, %s, %s, %s)"
    answer: Json = ask(conn, statement, *(filters.get(name) for name in names), now)
    return answer


def receipt(
    accepted: int, *, duplicate: int = 0, conflict: int = 0, late: int = 0, rejected: object = ()
) -> Json:
    """The receipt that is expected."""
    return {
        "accepted": accepted,
        "duplicate": duplicate,
        "conflict": conflict,
        "late": late,
        "rejected": list(rejected) if isinstance(rejected, Iterable) else rejected,
    }


@dataclass
class Refusal:
    """What the error of a refused call says; filled in when `refused` ends."""

    message: str = ""
    hint: str = ""
    column: str = ""
    params: Json = field(default_factory=dict)


@contextmanager
def refused(conn: Connection, slug: str) -> Iterator[Refusal]:
    """Expect this refusal, and undo what came before it in the block."""
    refusal = Refusal()
    with pytest.raises(psycopg.Error) as caught, conn.transaction():
        yield refusal
    diag = caught.value.diag
    assert diag.constraint_name == slug
    refusal.message = diag.message_primary or ""
    refusal.hint = diag.message_hint or ""
    refusal.column = diag.column_name or ""
    # Of a broken constraint the detail is the server's.
    ours = (caught.value.sqlstate or "").startswith("SV")
    refusal.params = json.loads(diag.message_detail or "{}") if ours else {}


def faults(conn: Connection, items: object, *, facts: bool = False) -> list[tuple[int, str, str]]:
    """Index, field and slug of every rule for which a batch is refused."""
    with pytest.raises(psycopg.Error) as caught, conn.transaction():
        (ingest_facts if facts else ingest_metrics)(conn, items)
    assert (caught.value.sqlstate, caught.value.diag.constraint_name) == ("SV422", "items_refused")
    named = json.loads(caught.value.diag.message_detail or "{}")["items"]
    assert all(item["detail"].endswith((".", "/-")) for item in named)
    return [(item["index"], item["field"], item["slug"]) for item in named]
