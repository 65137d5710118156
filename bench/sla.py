"""The SLA of 100 servers over 30 days in which each changed its status 8 times a day."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import psycopg

from bench.measures import Measure, median_ms
from bench.servers import Target

SERVERS = 100
DAYS = 30
CHANGES_A_DAY = 8

# What the state machine makes of a report a minute: an interval for each change, up and then down
# or degraded in turn, with gaps of 10 s now and then. The service was restarted every day.
FILL = """
insert into data.server (
    name, status, tags, keepalive_seconds, failures_to_down, successes_to_recover, sla_target,
    probe, registered_at, updated_at
)
select
    'acme/server-' || n, 'active', '{{}}', 60, 3, 2, 99.9, false,
    now() - interval '{days} days 1 hour', now()
from generate_series(1, {servers}) as n;
insert into data.service_uptime (during)
select tstzrange(now() - n * interval '1 day', now() - (n - 1) * interval '1 day' - interval '40 s')
from generate_series(1, {days} + 1) as n;
insert into data.health_interval (server_id, signal, status, during)
select
    server.server_id,
    'report',
    case n % 4 when 1 then 'down' when 3 then 'degraded' else 'up' end,
    tstzrange(
        now() - interval '{days} days' + (n - 1) * part.length + shift.by,
        now() - interval '{days} days' + n * part.length + shift.by
        - interval '10 s' * (n % 7 = 0)::integer
    )
from data.server
cross join generate_series(1, {days} * {changes}) as n
cross join (select interval '1 day' / {changes} as length) as part
-- No two servers change at the same moments.
cross join lateral (select server.server_id * interval '7.001 s' as by) as shift
where server.name like 'acme/server-%' and n < {days} * {changes};
insert into data.maintenance (maintenance_id, server_id, during, author, reason, recorded)
select
    'update-' || n, server_id,
    tstzrange(now() - n * interval '7 days', now() - n * interval '7 days' + interval '1 hour'),
    'bench', 'update', tstzrange(now() - interval '{days} days', null)
from data.server cross join generate_series(1, 4) as n
where name like 'acme/server-%';
analyze data.health_interval;
analyze data.maintenance;
analyze data.server
"""


def sla(target: Target) -> Measure:
    """Milliseconds of a page of 100 servers, over HTTP and by SQL."""
    path = f"{target.url}/health/sla?window={DAYS}d&limit={SERVERS}"
    with (
        httpx.Client(timeout=60) as http,
        psycopg.connect(target.database_url, autocommit=True, prepare_threshold=None) as conn,
    ):
        fill(conn, SERVERS)

        def over_http() -> None:
            items = http.get(path).json()["items"]
            assert len(items) == SERVERS
            assert all(item["outages"]["count"] > DAYS for item in items)

        figure = median_ms(over_http)
        limit = median_ms(lambda: ask(conn, SERVERS))
    return Measure(
        f"/health/sla 30d, 100 servers, {SERVERS * DAYS * CHANGES_A_DAY:,} intervals"
        f" of {SERVERS * DAYS * 1440:,} reports",
        "ms",
        figure,
        150,
        "api.query_sla by psycopg",
        limit,
        higher_is_better=False,
    )


def fill(conn: psycopg.Connection, servers: int) -> None:
    """Register servers with a history."""
    filled = FILL.format(servers=servers, days=DAYS, changes=CHANGES_A_DAY)
    for statement in filled.split(";"):
        conn.execute(statement.encode())


def ask(conn: psycopg.Connection, limit: int) -> None:
    """The page by SQL."""
    conn.execute(
        "select api.query_sla(%s, null, null, null, null, null, %s, null, %s)",
        [f"{DAYS}d", limit, datetime.now(UTC)],
    )
