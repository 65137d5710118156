"""A simulated ecosystem of MCP servers: the same seed always gives the same rows.

Every value depends on the seed, the server and the time alone, so a second run adds only rows that
are new. Time is divided into blocks of five days. At the start of a block, a server restarts with
its counters at zero; in each block, it has at most one incident. One server has two more every
day, so that the built-in rule error_rate_high fires and resolves in every demo, whenever it
begins.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import erf, exp, inf, log, pi, sin, sqrt
from operator import mul
from random import Random
from typing import Any

STEP_SECONDS = 600
BLOCK_SECONDS = 5 * 86_400
STEPS = BLOCK_SECONDS // STEP_SECONDS
# Upper bounds of the latency histogram, in seconds; one more bucket is above them.
BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
SPREAD = 0.6
METRICS = 6
# The incidents of every day: when they begin and how long they last, in seconds, and which share
# fails. They are hours apart, so that a day that cuts one has the other whole.
DAILY = (8 * 3600, 16 * 3600)
DAILY_SECONDS = 1800
DAILY_ERRORS = 0.2
Item = dict[str, Any]


@dataclass(frozen=True)
class Server:
    """A simulated MCP server: calls a second at noon, median latency, usual share of errors.

    `trouble` is what is reported of a degraded one.
    """

    source: str
    region: str
    rate: float
    latency_seconds: float
    error_ratio: float
    tools: tuple[str, ...]
    purpose: str
    business: str | None = None
    trouble: str | None = None
    fails_daily: bool = False


SERVERS = (
    Server(
        "demo/search",
        region="eu-west",
        rate=4.0,
        latency_seconds=0.08,
        error_ratio=0.004,
        tools=("search", "suggest", "fetch"),
        purpose="Searches the shop",
    ),
    Server(
        "demo/weather",
        region="us-east",
        rate=1.5,
        latency_seconds=0.15,
        error_ratio=0.010,
        tools=("forecast", "alerts"),
        purpose="Forecasts the weather",
    ),
    Server(
        "demo/crm",
        region="eu-west",
        rate=0.6,
        latency_seconds=0.35,
        error_ratio=0.006,
        tools=("find_lead", "close_deal"),
        purpose="Knows the customers",
        business="DealClosed",
    ),
    Server(
        "demo/billing",
        region="eu-north",
        rate=0.3,
        latency_seconds=0.50,
        error_ratio=0.015,
        tools=("bill", "refund"),
        purpose="Bills the customers",
        business="InvoicePaid",
        trouble="refunds are slow",
        fails_daily=True,
    ),
)
CUSTOMERS = ("acme", "globex", "initech", "umbrella", "hooli", "stark", "wayne", "wonka")


def registrations() -> Iterator[tuple[str, Item]]:
    """The name of each server, and its server.json with what the registry adds."""
    for server in SERVERS:
        yield (
            server.source,
            {
                "description": server.purpose,
                "version": "1.0.0",
                "source": server.source,
                "tags": ["demo"],
                "capabilities": {"tools": [{"name": name} for name in server.tools]},
                "probe": False,
                # Nobody sends keep-alives after the demo.
                "keepalive_seconds": 86_400,
            },
        )


def reports() -> list[Item]:
    """A report of the health of each server, as of now."""
    return [
        {
            "server": server.source,
            "status": "degraded" if server.trouble else "up",
            "latency_ms": 1000 * server.latency_seconds,
            "reporter": "demo",
            **({"detail": server.trouble} if server.trouble else {}),
        }
        for server in SERVERS
    ]


def kpis() -> Iterator[tuple[str, Item]]:
    """The name of each KPI, and its document."""
    calls = {"kind": "mcp.server.operation.duration", "statistic": "count"}
    demo = {"labels": {"demo": "true"}}
    yield (
        "demo_error_share",
        {
            "author": "demo",
            "description": "Share of calls that fail",
            "numerator": {**calls, "where": {**demo, "has": ["error.type"]}},
            "denominator": {**calls, "where": demo},
            "unit": "%",
            "target": 1,
            "direction": "down",
        },
    )
    yield (
        "demo_deal_value",
        {
            "author": "demo",
            "description": "Mean value of a deal",
            "numerator": {"kind": "Fact:DealClosed", "statistic": "sum"},
            "denominator": {"kind": "Fact:DealClosed", "statistic": "count"},
            "unit": "EUR",
            "target": 5000,
        },
    )


def metrics(seed: int, begin: int, end: int) -> Iterator[Item]:
    """The metric items of [begin, end], both in seconds since 1970, one step apart."""
    for block in range(begin // BLOCK_SECONDS, end // BLOCK_SECONDS + 1):
        for server in SERVERS:
            yield from _block(seed, server, block, begin, end)


def count_metrics(begin: int, end: int) -> int:
    """The number of items that `metrics` gives."""
    steps = end // STEP_SECONDS - (begin - 1) // STEP_SECONDS
    return steps * METRICS * len(SERVERS)


def facts(seed: int, begin: int, end: int) -> Iterator[Item]:
    """The fact items of [begin, end], both in seconds since 1970."""
    for block in range(begin // BLOCK_SECONDS, end // BLOCK_SECONDS + 1):
        for server in SERVERS:
            for item in _facts(seed, server, block):
                if begin <= item["ts"] <= end:
                    yield item


def _block(seed: int, server: Server, block: int, begin: int, end: int) -> Iterator[Item]:
    random = Random(f"{seed}/{server.source}/{block}")  # noqa: S311  no secret
    labels = {"demo": "true", "region": server.region, "seed": str(seed)}
    trouble = random.randrange(STEPS)
    trouble_steps = random.choice((0, 0, 6, 12, 24))
    requests = 0
    queue = 0.0
    for place in range(STEPS):
        ts = block * BLOCK_SECONDS + place * STEP_SECONDS
        in_trouble = 0 <= place - trouble < trouble_steps
        busy = _rhythm(ts)
        calls = round(server.rate * STEP_SECONDS * busy * random.uniform(0.85, 1.15))
        median = server.latency_seconds * (0.8 + 0.5 * busy) * random.uniform(0.9, 1.1)
        errors = server.error_ratio * random.uniform(0.4, 1.6)
        if in_trouble:
            median, errors = 6 * median, 20 * errors
        if server.fails_daily and any(0 <= ts % 86_400 - start < DAILY_SECONDS for start in DAILY):
            errors = max(errors, DAILY_ERRORS)
        queue = 0.7 * queue + 40 * median * busy * random.uniform(0.5, 1.5)
        requests += calls
        if begin <= ts <= end:
            base = {"source": server.source, "ts": ts, "labels": labels}
            yield _metric(base, "mcp.requests", requests, "counter", "requests")
            yield _metric(base, "mcp.latency_p50", round(median, 4), "gauge", "seconds")
            failed = round(calls * errors)
            for share, more in ((calls - failed, {}), (failed, {"error.type": "tool_error"})):
                yield _metric(
                    base | {"labels": labels | more},
                    "mcp.server.operation.duration",
                    _histogram(share, median),
                    "histogram",
                    "seconds",
                )
            yield _metric(base, "mcp.error_ratio", round(errors, 5), "gauge", "ratio")
            yield _metric(base, "mcp.queue_depth", round(queue), "gauge", "calls")


def _metric(base: Item, name: str, value: object, type_: str, unit: str) -> Item:
    return {"name": name, **base, "value": value, "type": type_, "unit": unit}


def _rhythm(ts: int) -> float:
    """How busy people are: 1 at noon of a working day, 0.1 at night."""
    hour = ts / 3600 % 24
    weekday = (ts // 86_400 + 3) % 7
    day = 0.1 + 0.9 * max(0.0, sin(pi * (hour - 5) / 14))
    return day * (0.45 if weekday >= 5 else 1.0)


def _histogram(calls: int, median: float) -> Item:
    """The durations of `calls` under a log-normal distribution."""
    below = [round(calls * _cdf(log(bound / median) / SPREAD)) for bound in BOUNDS]
    counts = [high - low for low, high in pairwise([0, *below, calls])]
    mean = median * exp(SPREAD * SPREAD / 2)
    # Counts are rounded, and the sum must lie within what they and the bounds allow.
    least = sum(map(mul, counts[1:], BOUNDS))
    most = inf if counts[-1] else sum(map(mul, counts[:-1], BOUNDS))
    total = round(min(max(calls * mean, least), most), 3)
    return {"bounds": BOUNDS, "counts": counts, "sum": total, "count": calls}


def _cdf(deviations: float) -> float:
    return (1 + erf(deviations / sqrt(2))) / 2


def _facts(seed: int, server: Server, block: int) -> Iterator[Item]:
    random = Random(f"{seed}/{server.source}/{block}/facts")  # noqa: S311  no secret
    kinds = [("ToolCalled", round(200 * sqrt(server.rate)))]
    if server.business is not None:
        kinds.append((server.business, 40))
    for name, number in kinds:
        for place in range(number):
            ts = block * BLOCK_SECONDS + random.randrange(BLOCK_SECONDS)
            customer = random.choice(CUSTOMERS)
            item: Item = {
                "kind": f"Fact:{name}",
                "source": server.source,
                "fact_id": f"demo-{seed}-{block}-{name}-{place}",
                "ts": ts,
            }
            if name == "ToolCalled":
                seconds = round(server.latency_seconds * random.lognormvariate(0, SPREAD), 4)
                payload = {"tool": random.choice(server.tools), "ok": random.random() > 0.02}
                yield item | {"value": seconds, "payload": payload | {"demo": True}}
            else:
                amount = round(random.lognormvariate(8, 1), 2)
                payload = {"customer": customer, "currency": "EUR", "demo": True}
                subject = f"{customer}-{block}-{place}"
                yield item | {"subject": subject, "value": amount, "payload": payload}
