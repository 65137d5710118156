"""The SLA of servers over 30 days in which each changed its status 8, or 50, times a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import psycopg

from bench.measures import Measure, median_ms
from bench.servers import Target

DAYS = 30


@dataclass(frozen=True)
class Servers:
    """Servers of which each changes its status so often a day, and the target of their page."""

    name: str
    count: int
    changes: int
    target_ms: float | None
    native_only: bool = False


# By name, the last ones are on the first page.
SERVERS = (
    Servers("typical", 1000, 8, None, native_only=True),
    Servers("steady", 100, 8, 150),
    Servers("flapping", 100, 50, 150),
)

# What the state machine makes of a report a minute: an interval for each change, up and then down
# or degraded in turn, with gaps of 10 s now and then. The service was restarted every day.
UPTIME = """
insert into data.service_uptime (during)
select tstzrange(now() - n * interval '1 day', now() - (n - 1) * interval '1 day' - interval '40 s')
from generate_series(1, {days} + 1) as n
"""
FILL = """
insert into data.server (
    name, status, tags, keepalive_seconds, failures_to_down, successes_to_recover, sla_target,
    probe, registered_at, updated_at
)
select
    'acme/{name}-' || n, 'active', '{{}}', 60, 3, 2, 99.9, false,
    now() - interval '{days} days 1 hour', now()
from generate_series(1, {servers}) as n;
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
where server.name like 'acme/{name}-%' and n < {days} * {changes};
insert into data.maintenance (maintenance_id, server_id, during, author, reason, recorded)
select
    '{name}-' || n, server_id,
    tstzrange(now() - n * interval '7 days', now() - n * interval '7 days' + interval '1 hour'),
    'bench', 'update', tstzrange(now() - interval '{days} days', null)
from data.server cross join generate_series(1, 4) as n
where name like 'acme/{name}-%';
vacuum (analyze) data.health_interval;
analyze data.every_maintenance;
analyze data.every_server
"""


def sla(target: Target) -> list[Measure]:
    """Milliseconds of a page of servers, over HTTP and by SQL."""
    with (
        httpx.Client(timeout=60) as http,
        psycopg.connect(target.database_url, autocommit=True, prepare_threshold=None) as conn,
    ):
        conn.execute(UPTIME.format(days=DAYS).encode())
        return [
            _page(http, conn, target, servers)
            for servers in SERVERS
            if target.native or not servers.native_only
        ]


def _page(
    http: httpx.Client, conn: psycopg.Connection, target: Target, servers: Servers
) -> Measure:
    path = f"{target.url}/health/sla?window={DAYS}d&limit={servers.count}"
    fill(conn, servers)

    def over_http() -> None:
        items = http.get(path).json()["items"]
        assert len(items) == servers.count
        assert all(item["name"].startswith(f"acme/{servers.name}-") for item in items)
        assert all(item["outages"]["count"] > DAYS for item in items)

    figure = median_ms(over_http)
    limit = median_ms(lambda: ask(conn, servers.count))
    return Measure(
        f"/health/sla 30d, {servers.count:,} {servers.name} servers,"
        f" {servers.count * DAYS * servers.changes:,} intervals"
        f" of {servers.count * DAYS * 1440:,} reports",
        "ms",
        figure,
        servers.target_ms,
        "api.query_sla by psycopg",
        limit,
        higher_is_better=False,
    )


def fill(conn: psycopg.Connection, servers: Servers) -> None:
    """Register servers with a history."""
    filled = FILL.format(
        name=servers.name, servers=servers.count, days=DAYS, changes=servers.changes
    )
    for statement in filled.split(";"):
        conn.execute(statement.encode())


def ask(conn: psycopg.Connection, limit: int) -> None:
    """The page by SQL."""
    conn.execute(
        "select api.query_sla(%s, null, null, null, null, null, %s, null, %s)",
        [f"{DAYS}d", limit, datetime.now(UTC)],
    )
