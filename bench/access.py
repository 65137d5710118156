"""What authentication costs: a cached aggregate with a key, and without authentication."""

from __future__ import annotations

import statistics
from pathlib import Path
from secrets import token_urlsafe

import httpx

from bench import load
from bench.aggregates import CONNECTIONS, KIND, ROUND_SECONDS
from bench.measures import Measure
from bench.servers import Target, service

ROUNDS = 7


def access(target: Target, folder: Path, workers: int) -> list[Measure]:
    """Requests/s of a cached aggregate with a key, against those of a service without.

    Two services on one database and one Redis are asked in turns; the idle one costs little.
    """
    admin_key = token_urlsafe(32)
    settings = {
        "SUPERVISOR_AUTHENTICATION": "on",
        "SUPERVISOR_ADMIN_KEY": admin_key,
        "SUPERVISOR_KEY_SECRET": token_urlsafe(32),
        # Requests are counted, and there are enough of them.
        "SUPERVISOR_REQUESTS_PER_SECOND": "1000000",
        "SUPERVISOR_REQUESTS_BURST": "1000000",
    }
    log = folder / "access.log"
    rates: dict[str, list[float]] = {"with": [], "without": []}
    with service(target.database_url, target.redis_url, workers, log, settings=settings) as asking:
        asked = {"with": (asking, _key(asking, admin_key)), "without": (target, None)}
        for turn in range(ROUNDS + 1):
            for name, (running, key) in asked.items():
                rate = _rate(running, key)
                # The first one fills the cache.
                if turn:
                    rates[name].append(rate)
    figure, limit = (statistics.median(rates[name]) for name in ("with", "without"))
    return [
        Measure(
            "cached /query/agg with a key",
            "requests/s",
            figure,
            0.85 * limit,
            "without authentication",
            limit,
        )
    ]


def _key(target: Target, admin_key: str) -> str:
    answer = httpx.post(
        f"{target.url}/access/keys",
        json={"owner": "bench", "scopes": ["read"]},
        headers={"Authorization": f"Bearer {admin_key}"},
    )
    return str(answer.raise_for_status().json()["key"])


def _rate(target: Target, key: str | None) -> float:
    lines = [f"GET /query/agg?kind={KIND}&window=30d HTTP/1.1", f"Host: {target.host}"]
    if key is not None:
        lines.append(f"Authorization: Bearer {key}")
    request = "\r\n".join((*lines, "", "")).encode()
    answers, seconds = load.run(
        target.host,
        target.port,
        [request],
        connections=CONNECTIONS,
        seconds=ROUND_SECONDS,
    )
    return answers / seconds
