"""The jobs of retention and of the columnstore leave what is pinned as it is."""

from __future__ import annotations

from datetime import datetime, timedelta

from psycopg import Connection

from tests.jobs.conftest import RunJob
from tests.sql.calls import ask, fact, ingest_facts, ingest_metrics, metric


def test_the_policies_of_samples_leave_what_is_pinned(
    lasting: Connection, clock: datetime, run_job: RunJob
) -> None:
    conn = lasting
    incident = clock - timedelta(days=88)
    times = (incident, clock - timedelta(days=60), clock - timedelta(days=1))
    items = [metric(value=n, ts=ts.isoformat()) for n, ts in enumerate(times)]
    ingest_metrics(conn, items, now=clock)
    conn.execute(
        "select api.pin_window('web', %s, %s, 'outage', now())",
        [incident, incident + timedelta(hours=1)],
    )
    # Whatever the day of the week: the chunk of the incident has expired as a whole.
    conn.execute("select ops.set_retention('data.sample', '30 days')")
    run_job("keep_pins", None)
    assert ask(conn, "select internal.frozen_upto('sample')") > incident

    conn.execute("set statement_timeout = '20s'")
    run_job("policy_compression", "sample")
    run_job("policy_retention", "sample")
    assert ask(conn, "select json_agg(value order by ts) from data.sample") == [0, 2]
    run_job("refresh_rollups", None)
    assert ask(conn, "select json_agg(value order by ts) from data.sample") == [0, 2]

    conn.execute("select api.unpin_window(id, now()) from (select pin_id from data.pin) as p (id)")
    run_job("policy_retention", "sample")
    assert ask(conn, "select json_agg(value order by ts) from data.sample") == [2]


def test_old_facts_are_counted_in_days_that_are_in_the_columnstore(
    lasting: Connection, clock: datetime, run_job: RunJob
) -> None:
    old = clock - timedelta(days=400)
    ingest_facts(lasting, fact("Fact:Old", ts=old.isoformat(), value=1), now=clock)
    run_job("policy_compression", "sample_1d")
    assert ask(
        lasting, "select columnstore_share from ops.retention where relation = 'data.sample_1d'"
    )

    more = [fact("Fact:Old", ts=old.isoformat(), value=n) for n in (2, 3)]
    ingest_facts(lasting, more, now=clock)
    counted = (
        "select json_agg(json_build_array(observations, value_sum)) from data.sample_1d"
        " inner join data.kind using (kind_id) where name = 'Fact:Old'"
    )
    assert ask(lasting, counted) == [[3, 6]]
