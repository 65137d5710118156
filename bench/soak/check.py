"""Whether everything acknowledged is there, and whether answers are those of the tables."""

from __future__ import annotations

import time
from typing import Any

import httpx
import psycopg

from bench.soak.load import WINDOWS, Load

PATIENCE_SECONDS = 2.0
PAGE = 1000


def lost(load: Load, database_url: str) -> int:
    """How many acknowledged rows neither the tables nor /query/facts have."""
    with psycopg.connect(database_url, prepare_threshold=None, autocommit=True) as conn:
        facts = {
            fact_id
            for (fact_id,) in conn.execute(
                "select fact_id from analytics.facts where kind = %s", (load.fact,)
            )
        }
        row = conn.execute(
            "select count(*) from analytics.metrics where kind = %s", (load.metric,)
        ).fetchone()
    assert row is not None
    samples: int = row[0]
    kept = facts & _answered_facts(load)
    return len(load.facts - kept) + max(len(load.samples) - samples, 0)


def stale(load: Load, database_url: str) -> int:
    """How many cached answers still differ from the tables when the time for that is over."""
    return sum(
        _is_stale(load, database_url, kind, window)
        for kind in (load.fact, load.metric)
        for window in WINDOWS
    )


def _is_stale(load: Load, database_url: str, kind: str, window: str) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        # Twice, so that the second answer comes from the cache.
        answers = [_ask(load.url, "/query/agg", kind=kind, window=window) for _ in range(2)]
        if all(_matches(answer, kind, database_url) for answer in answers):
            return False
        if time.monotonic() > deadline:
            return True
        time.sleep(0.1)


def _matches(answer: dict[str, Any], kind: str, database_url: str) -> bool:
    table, name = ("facts", "kind") if kind.startswith("Fact:") else ("metrics", "name")
    with psycopg.connect(database_url, prepare_threshold=None, autocommit=True) as conn:
        row = conn.execute(
            f"select count(*), sum(value) from analytics.{table}"
            f" where {name} = %s and ts >= %s and ts < %s",
            (kind, answer["from"], answer["to"]),
        ).fetchone()
    return row == (answer["count"], answer["sum"])


def _answered_facts(load: Load) -> set[str]:
    found: set[str] = set()
    cursor: dict[str, str] = {}
    while True:
        page = _ask(load.url, "/query/facts", kind=load.fact, limit=str(PAGE), **cursor)
        found.update(item["fact_id"] for item in page["items"])
        if page["next_cursor"] is None:
            return found
        cursor = {"cursor": page["next_cursor"]}


def _ask(url: str, path: str, **parameters: str) -> dict[str, Any]:
    answer = httpx.get(f"{url}{path}", params=parameters, timeout=30, trust_env=False)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found
