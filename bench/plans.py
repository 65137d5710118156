"""The plans behind `query_agg` and the views of analysts: `python -m bench.plans DSN`, native.

Writes a file for each question to bench/plans/: the statements that take over a millisecond,
each with its plan as it ran, nested ones first. Of the views, what an analyst asks.
"""

from __future__ import annotations

import argparse
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from bench import aggregates, history
from bench.servers import timescaledb

FOLDER = Path(__file__).parent / "plans"
# Calls before the one that is explained: PL/pgSQL may choose a generic plan after five.
CALLS = 6
LEAST_MS = 1.0
OF_A_KIND = f"where kind = '{aggregates.KIND}' and bucket >= now() - interval '30 days'"
VIEWS = {
    "p95 by source and day": f"select bucket, source, p95 from analytics.metrics_daily {OF_A_KIND}",
    "mean by source 30d": (
        "select source, sum(sum) / sum(count) as avg"
        f" from analytics.metrics_hourly {OF_A_KIND} group by source"
    ),
    "mean by source 30d series first": (
        "select source, sum(total) / sum(observations) as avg from ("
        "select series_id, sum(sum) as total, sum(count) as observations"
        f" from analytics.metrics_hourly {OF_A_KIND} group by series_id) as part"
        " inner join analytics.series using (series_id) group by source"
    ),
    "merged p95 30d": (
        "select analytics.percentile(analytics.merge(sketch), 0.95)"
        f" from analytics.metrics_hourly {OF_A_KIND}"
    ),
    "increase of a gauge 30d": (
        f"select bucket, source, increase from analytics.metrics_hourly {OF_A_KIND}"
    ),
}
# What `api.list_changes` reads of an hour of 100 changes a second, of which 100 are new.
EARLIER = """
insert into data.kind_change (xid, kind_id, changed_at)
select
    (3 + n % (pg_current_xact_id()::text::bigint - 3))::text::xid8,
    (select min(kind_id) from data.every_kind),
    now() - interval '1 hour' + n * interval '10 ms'
from generate_series(1, 360000) as n
"""
NEW = "insert into data.kind_change (kind_id) select min(kind_id) from data.every_kind"
NEW_CHANGES = 100
READING = """
select kind.namespace, kind.name, json_agg(kind_change.xid::text::bigint)
from data.kind_change
inner join data.every_kind as kind on kind_change.kind_id = kind.kind_id
where
    kind_change.xid >= pg_snapshot_xmin({since})
    and not pg_visible_in_snapshot(kind_change.xid, {since})
group by kind.namespace, kind.name
"""
SETTINGS = """
load 'auto_explain';
set auto_explain.log_min_duration = 0;
set auto_explain.log_analyze = on;
set auto_explain.log_nested_statements = on;
set client_min_messages = log
"""


def main() -> None:
    """Load the samples, ask every question and write its plans."""
    parser = argparse.ArgumentParser(prog="python -m bench.plans", description=__doc__)
    parser.add_argument("database_url", help="superuser's DSN on a native server")
    parser.add_argument("--samples", type=int, default=8_640_000)
    sent = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        timescaledb(Path(folder), sent.database_url) as url,
        history.connect(url) as conn,
    ):
        aggregates.fill(conn, sent.samples)
        history.refresh(conn)
        history.vacuum(conn)
        history.compress(conn)
        for name, statement in VIEWS.items():
            _explain_view(conn, name, statement)
        _explain_reading(conn)
        for question in aggregates.QUESTIONS:
            if question.kind is not None:
                _explain(conn, question, sent.samples)


def _explain(conn: psycopg.Connection, question: aggregates.Question, samples: int) -> None:
    plans: list[str] = []

    def keep(diagnostic: psycopg.errors.Diagnostic) -> None:
        message = str(diagnostic.message_primary)
        if float(message.split()[1]) >= LEAST_MS:
            plans.append(
                "\n".join(line.rstrip() for line in str(diagnostic.message_primary).split("\n"))
            )

    for _ in range(CALLS):
        _ask(conn, question)
    conn.add_notice_handler(keep)
    conn.execute(SETTINGS)
    _ask(conn, question)
    conn.remove_notice_handler(keep)
    conn.execute("reset auto_explain.log_min_duration")
    head = f"{question.name}, {samples:,} samples, {conn.info.parameter_status('server_version')}"
    text = "\n\n".join([head, *plans]) + "\n"
    (FOLDER / f"{question.name.replace(' ', '-')}.txt").write_text(text)


def _explain_view(conn: psycopg.Connection, name: str, statement: str) -> None:
    with conn.transaction():
        conn.execute("set local role supervisor_analyst")
        # The first run plans what the others keep.
        for _ in range(2):
            rows = conn.execute(f"explain (analyze, costs off) {statement}".encode()).fetchall()
    text = "\n".join([f"{name}: {statement}", "", *(line for (line,) in rows)]) + "\n"
    (FOLDER / f"view-{name.replace(' ', '-')}.txt").write_text(text)


def _explain_reading(conn: psycopg.Connection) -> None:
    conn.execute(EARLIER)
    conn.execute("analyze data.kind_change")
    row = conn.execute("select pg_current_snapshot()::text").fetchone()
    assert row is not None
    for _ in range(NEW_CHANGES):
        conn.execute(NEW)
    statement = READING.format(since=f"'{row[0]}'::pg_snapshot")
    rows = conn.execute(f"explain (analyze, buffers, costs off) {statement}".encode()).fetchall()
    text = "\n".join(["reading of changes, 360,000 an hour", "", *(line for (line,) in rows)])
    (FOLDER / "reading-of-changes.txt").write_text(text + "\n")


def _ask(conn: psycopg.Connection, question: aggregates.Question) -> None:
    conn.execute(aggregates.BY_SQL, {**question.arguments, "now": datetime.now(UTC)})


if __name__ == "__main__":
    main()
