"""An aggregate of a long history of samples locks the chunks that it reads."""

from __future__ import annotations

from datetime import datetime, timedelta

from psycopg import Connection

from tests.sql.calls import ask, ingest_metrics, metric, query_agg
from tests.support.rollups import roll_up

WEEKS = 60
CHUNKS = "select count(*) from show_chunks('data.sample')"
LOCKED = """
select count(*)
from pg_locks
inner join show_chunks('data.sample') as chunk on relation = chunk
where database = (select oid from pg_database where datname = current_database())
"""


def test_chunks_of_other_times_are_not_locked(lasting_alone: Connection, now: datetime) -> None:
    instants = [now - timedelta(weeks=week) for week in range(WEEKS)]
    ingest_metrics(
        lasting_alone, [metric(value=1, ts=instant.isoformat()) for instant in instants], now=now
    )
    roll_up(lasting_alone, now - timedelta(hours=1))
    lasting_alone.execute("delete from data.late_hour")
    assert ask(lasting_alone, CHUNKS) >= WEEKS

    with lasting_alone.transaction():
        for source in (None, "web"):
            assert query_agg(lasting_alone, source=source, now=now)["count"] == 2
        assert ask(lasting_alone, LOCKED) <= 4
