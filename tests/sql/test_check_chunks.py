"""A statement sees that chunks were moved after its snapshot was taken."""

from __future__ import annotations

from datetime import timedelta
from typing import LiteralString

import psycopg
import pytest
from psycopg import Connection

from tests.sql.calls import NOW, ask, fact, ingest_facts, ingest_metrics, metric

OLD = NOW - timedelta(days=20)
COMPRESS = "select compress_chunk(chunk) from show_chunks('data.{}') as chunk"
# What the change did is visible to what is volatile alone.
CHECKED = """
with change as materialized ({})
select internal.check_chunks(%s) from (select count(*) from change) as done
"""


@pytest.fixture
def db(db: Connection) -> Connection:
    """A sample, a fact and an hour of each rollup."""
    ingest_metrics(db, metric(ts=OLD.isoformat()))
    ingest_facts(db, fact(value=1, ts=OLD.isoformat()))
    for rollup in ("sample_1h", "kind_1h"):
        hypertable = ask(db, "select internal.hypertable(%s)", rollup)
        db.execute(f"insert into {hypertable} (kind_id, bucket) values (1, %s)".encode(), [OLD])
    return db


def refusal(db: Connection, change: LiteralString, relations: list[str]) -> str | None:
    """How a statement is refused that changes chunks and then checks these relations."""
    try:
        with db.transaction(force_rollback=True):
            db.execute(CHECKED.format(change), [relations])
    except psycopg.errors.SerializationFailure as error:
        return error.diag.message_primary
    return None


@pytest.mark.parametrize("moved", ["sample", "fact", "sample_1h", "kind_1h"])
def test_chunks_of_what_is_read_are_checked_and_no_others(
    db: Connection, moved: LiteralString
) -> None:
    compress = COMPRESS.format(moved)
    others = sorted({"sample", "fact", "sample_1h", "kind_1h"} - {moved})
    assert refusal(db, compress, [others[0], moved]) == (
        f"chunks of {others[0]}, {moved} were moved while they were read"
    )
    assert refusal(db, compress, others) is None


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ("select decompress_chunk(chunk) from show_chunks('data.sample') as chunk", True),
        ("select drop_chunks('data.sample', timestamptz '2200-01-01')", True),
        ("select pg_sleep(0)", False),
        # Late samples lie beside what is in the columnstore.
        (
            'select api.ingest_metrics(\'[{"name": "cpu", "source": "web", "value": 2,'
            ' "ts": "2025-05-26T12:00:00Z"}]\', false, null, timestamptz \'2025-06-15\')',
            False,
        ),
    ],
    ids=["out of the columnstore", "dropped", "nothing", "late samples"],
)
def test_what_adds_rows_beside_the_columnstore_moves_no_chunk(
    db: Connection, change: LiteralString, refused: bool
) -> None:
    db.execute(COMPRESS.format("sample"))
    assert (refusal(db, change, ["sample"]) is not None) is refused
