"""What the indexes of samples spare, and what they take."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest
from psycopg import Connection

from tests.sql.calls import NOW, ask, ingest_metrics, metric

SERIES = 20
BATCHES = 10
SAMPLES_OF_A_BATCH = 200
INDEXES = """
select index_name.oid::regclass::text
from show_chunks('data.sample') as chunk
inner join pg_index on chunk = pg_index.indrelid
inner join pg_class as index_name on pg_index.indexrelid = index_name.oid
where index_name.relname like %s
"""
PAGES = """
select sum(pg_class.relpages)
from show_chunks('data.sample') as chunk
inner join pg_class on chunk = pg_class.oid
"""
HOUR = """
explain (analyze, buffers, costs off, timing off, summary off, format json)
select count(*) from data.sample
where ts >= %s::timestamptz and ts < %s::timestamptz + interval '1 hour'
"""


@pytest.fixture(scope="module")
def filled(database_url: str) -> Iterator[Connection]:
    """A chunk of series that each batch makes longer at their ends."""
    with (
        psycopg.connect(database_url, prepare_threshold=None) as db,
        db.transaction(force_rollback=True),
    ):
        for batch in range(BATCHES):
            ingest_metrics(
                db,
                [
                    metric("cpu", f"web{series}", n, ts=(start + timedelta(minutes=n)).isoformat())
                    for start in [NOW - timedelta(minutes=SAMPLES_OF_A_BATCH * (BATCHES - batch))]
                    for series in range(SERIES)
                    for n in range(SAMPLES_OF_A_BATCH)
                ],
            )
        yield db


def test_an_index_of_series_that_grow_at_their_ends_has_full_pages(filled: Connection) -> None:
    size = sum(
        ask(filled, "select pg_relation_size(%s::regclass)", name)
        for (name,) in filled.execute(INDEXES, ["%sample_once"]).fetchall()
    )
    # Of which 28 are the entry; in half-empty pages, it would take 56.
    assert size / (SERIES * BATCHES * SAMPLES_OF_A_BATCH) < 40


def test_an_hour_of_all_series_is_found_without_reading_the_chunk(filled: Connection) -> None:
    for (name,) in filled.execute(INDEXES, ["%sample_by_time"]).fetchall():
        # As a vacuum does.
        filled.execute("select brin_summarize_new_values(%s::regclass)", [name])
    filled.execute("analyze data.sample")
    pages = ask(filled, PAGES)
    hour = NOW - timedelta(hours=2)
    plan = ask(filled, HOUR, hour, hour)[0]["Plan"]
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < pages / 2
