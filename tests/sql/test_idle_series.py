"""Series without samples cost the answers of their kind nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

import psycopg
import pytest
from psycopg import Connection

from tests.sql.calls import NOW, ago, ask, ingest_metrics, metric
from tests.support.rollups import roll_up

PLAN = """
explain (analyze, buffers, costs off, timing off, summary off, format json)
select api.query_agg(%s, '7d', null, %s, null, null, %s)
"""
IDLE = """
insert into data.series (kind_id, source_id, labels, created_at)
select kind.kind_id, source.source_id, jsonb_build_object('idle', n::text), %s
from data.kind
cross join data.source
cross join generate_series(1, 20000) as n
"""


ANSWERS = [(kind, group_by) for kind in ("cpu", "visits") for group_by in (None, "source")]


def pages(db: Connection, kind: str, group_by: str | None) -> int:
    """Pages that an answer reads."""
    plan = ask(db, PLAN, kind, group_by, NOW)[0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


def second_pages(db: Connection, kind: str, group_by: str | None) -> int:
    """Pages that it reads when it is asked for the second time."""
    pages(db, kind, group_by)
    return pages(db, kind, group_by)


@pytest.fixture(scope="module")
def read(database_url: str) -> dict[tuple[str, str | None], tuple[int, int]]:
    """Pages that each answer reads, before there are series without samples and with 20,000."""
    with (
        psycopg.connect(database_url, prepare_threshold=None) as db,
        db.transaction(force_rollback=True),
    ):
        ingest_metrics(
            db,
            [
                metric(name, "web", n, type=type_, ts=ago(hours=8 * n))
                for name, type_ in (("cpu", "gauge"), ("visits", "counter"))
                for n in range(40)
            ],
        )
        before = {answer: second_pages(db, *answer) for answer in ANSWERS}
        db.execute(IDLE, [NOW])
        # Plans for a table of two rows would scan it.
        db.execute("analyze data.series")
        return {answer: (before[answer], second_pages(db, *answer)) for answer in ANSWERS}


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_reads_no_more_for_20000_series_without_samples(
    read: dict[tuple[str, str | None], tuple[int, int]], answer: tuple[str, str | None]
) -> None:
    before, after = read[answer]
    assert after < 2 * before


def test_a_source_with_many_series_has_the_answer_of_those_with_samples(
    lasting: Connection, now: datetime
) -> None:
    ingest_metrics(
        lasting,
        [
            metric(name, source, n, type=type_, ts=(now - timedelta(hours=4 * n)).isoformat())
            for name, type_ in (("cpu", "gauge"), ("visits", "counter"))
            for source in ("web", "other")
            for n in range(40)
        ],
        now=now,
    )
    roll_up(lasting, now - timedelta(hours=1))
    lasting.execute("call internal.refresh_late(0, '{}')")
    answer = "select api.query_agg(null, '7d', 'web', 'source', null, null, %s)"
    before = ask(lasting, answer, now)
    lasting.execute(IDLE, [now])
    assert ask(lasting, answer, now) == before
