"""KPIs and changes over the history that bench/aggregates.py loads."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import httpx
import psycopg

from bench import history
from bench.aggregates import KIND, KINDS, SOURCES
from bench.measures import Measure, medians_ms
from bench.servers import Target

KPIS = 20
BY_SQL = {
    "/query/kpis": "select api.query_kpis(%(window)s, null, %(now)s)",
    "/query/changes": "select api.query_changes(%(window)s, null, null, %(now)s)",
}


def kpis(target: Target) -> list[Measure]:
    """Milliseconds over HTTP, and by SQL, in turns."""
    term = {"kind": KIND, "statistic": "sum"}
    share = {"numerator": term, "denominator": {**term, "statistic": "count"}}
    with (
        httpx.Client(base_url=target.url, timeout=300) as http,
        history.connect(target.database_url) as conn,
    ):
        conn.execute("set statement_timeout = '30s'")
        for n in range(KPIS):
            document = {"author": "bench", "description": str(n), **share}
            http.put(f"/kpis/bench_{n}", json=document).raise_for_status()
        return [
            _ask(http, conn, "/query/kpis", "30d", f"{KPIS} KPIs of {len(SOURCES)} sources", 300),
            *(
                _ask(http, conn, "/query/changes", window, f"{KINDS} kinds", None)
                for window in ("24h", "7d")
            ),
        ]


def _ask(
    http: httpx.Client,
    conn: psycopg.Connection,
    path: str,
    window: str,
    about: str,
    aim: float | None,
) -> Measure:
    def over_http() -> None:
        answer = http.get(path, params={"window": window})
        # A timeout counts with the time that it took.
        if answer.status_code != httpx.codes.GATEWAY_TIMEOUT:
            answer.raise_for_status()

    def by_sql() -> None:
        with suppress(psycopg.errors.QueryCanceled):
            conn.execute(BY_SQL[path].encode(), {"window": window, "now": datetime.now(UTC)})

    figure, _, limit = medians_ms(over_http, lambda: None, by_sql)
    return Measure(
        f"{path} {window}, {about}",
        "ms",
        figure,
        aim,
        "SQL by psycopg",
        limit,
        higher_is_better=False,
    )
