"""A pass over 1,000 alert rules of 100 series each, and how long it keeps others waiting."""

from __future__ import annotations

import statistics
import time

import psycopg

from bench.measures import Measure
from bench.servers import Target

RULES = 1000
KINDS = 20
SERIES = 100
PASSES = 5
TURN_MS = 100

# Each of 20 gauges has 100 sources that send every 30 seconds; 50 rules look at each of them, over
# 5 minutes, by source. About one group in thirty is active.
FILL = f"""
insert into data.kind (name, type, created_at)
select 'bench_alert_' || n, 'gauge', now() from generate_series(1, {KINDS}) as n;
insert into data.source (name, created_at)
select 'alert-' || n, now() from generate_series(1, {SERIES}) as n;
insert into data.series (kind_id, source_id, labels, created_at)
select kind_id, source_id, '{{}}', now()
from data.kind cross join data.source
where kind.name like 'bench_alert_%' and source.name like 'alert-%';
insert into data.sample (series_id, kind_id, ts, seq, value, observations, counter)
select series_id, kind.kind_id, now() - n * interval '30 s', 0, random(), 1, false
from data.series inner join data.kind using (kind_id) cross join generate_series(-20, 60) as n
where kind.name like 'bench_alert_%';
with rule as (
    insert into data.alert_rule (name, created_at)
    select 'bench_' || n, now() from generate_series(1, {RULES}) as n
    returning rule_id, name, substr(name, length('bench_') + 1)::integer as n
)
insert into data.alert_rule_version (rule_id, version, document, author, valid)
select
    rule_id, 1,
    internal.alert_rule_defaults(jsonb_build_object(
        'for', '1m',
        'annotations', jsonb_build_object('summary', '{{{{ $labels.source }}}}: {{{{ $value }}}}'),
        'condition', jsonb_build_object(
            'type', 'metric', 'kind', 'bench_alert_' || n % {KINDS} + 1,
            'statistic', (array['avg', 'max', 'p95', 'count', 'min'])[n / {KINDS} % 5 + 1],
            'window', '5m', 'operator', '>', 'group_by', 'source',
            'threshold', (array[0.65, 0.997, 0.99, 1000, 0.3])[n / {KINDS} % 5 + 1]
        )
    )),
    'bench', tstzrange(now() - interval '1 day', null)
from rule;
analyze data.sample;
analyze data.series;
analyze data.every_alert_rule;
analyze data.alert_rule_version
"""
SAMPLED = """
select count(*) from internal.sampled_statistics(
    array(select kind_id from data.kind where name like 'bench_alert_%'), null, 'source',
    '5 minutes', now(), now(), '1 second', '{p95}'
)
"""


def alerts(target: Target) -> list[Measure]:
    """Milliseconds of a whole pass, and of the longest turn of it."""
    with psycopg.connect(target.database_url, autocommit=True, prepare_threshold=None) as conn:
        for statement in FILL.split(";"):
            conn.execute(statement.encode())
        (job,) = conn.execute("select job_id from ops.policies where policy = 'evaluate_alerts'")
        conn.execute(f"set supervisor.turn = '{TURN_MS} ms'".encode())
        passes = [_pass(conn, job) for _ in range(PASSES)]
        row = conn.execute("select count(*) from data.alert").fetchone()
        began = time.perf_counter()
        conn.execute(SAMPLED.encode())
        limit = (time.perf_counter() - began) * 1000
    assert row is not None
    assert row[0] > RULES
    return [
        Measure(
            f"alert rules: a pass over {RULES:,} with {SERIES} series each",
            "ms",
            statistics.median(sum(turns) for turns in passes),
            2000,
            f"the statistics of {KINDS * SERIES:,} series alone",
            limit,
            higher_is_better=False,
        ),
        Measure(
            "alert rules: the longest turn of the passes after the first",
            "ms",
            max(turn for turns in passes[1:] for turn in turns),
            TURN_MS,
            "the turn that the server gives a job",
            TURN_MS,
            higher_is_better=False,
        ),
    ]


def _pass(conn: psycopg.Connection, job: tuple[int]) -> list[float]:
    """Milliseconds of each turn, until no rule is due."""
    conn.execute("update data.alert_rule set due_at = null")
    turns = []
    while True:
        began = time.perf_counter()
        conn.execute("call run_job(%s)", job)
        turns.append((time.perf_counter() - began) * 1000)
        row = conn.execute("select count(*) from data.alert_rule where due_at is null").fetchone()
        if row == (0,):
            return turns
