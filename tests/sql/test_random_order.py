"""Every sample of real series in random order: the answers are those of numpy."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from psycopg import Connection

from tests.sql.calls import Item, Json, ask, ingest_metrics, metric, query_agg
from tests.support.real_input import METRICS
from tests.support.real_series import Sent, as_counter, increase, read_series

BATCH = 2700
JOBS = (
    "call internal.refresh_late(0, '{}')",
    'call internal.refresh_rollups(0, \'{"end_offset": "20 minutes"}\')',
)


def as_items(name: str, sent: Sent) -> list[Item]:
    kind = "counter" if sent.counter else "gauge"
    return [
        metric(name, value=value, type=kind, ts=datetime.fromtimestamp(ts, UTC).isoformat())
        for ts, value in zip(sent.ts.tolist(), sent.value.tolist(), strict=True)
    ]


def compare(answer: Json, sent: Sent) -> None:
    exact = {
        "count": len(sent.value),
        "sum": sent.value.sum(),
        "avg": sent.value.mean(),
        "min": sent.value.min(),
        "max": sent.value.max(),
        "stddev": sent.value.std(),
        "last": sent.value[-1],
    }
    assert {name: answer[name] for name in exact} == pytest.approx(exact, rel=1e-9)
    for percent in (50, 90, 95, 99):
        assert answer[f"p{percent}"] == pytest.approx(
            np.percentile(sent.value, percent), rel=answer["error_bound"] + 1e-9
        )
    start, end = (datetime.fromisoformat(answer[name]) for name in ("from", "to"))
    grown = increase(sent.value) if sent.counter else len(sent.value)
    assert answer["rate_per_second"] == pytest.approx(grown / (end - start).total_seconds())


def test_samples_in_random_order_come_to_what_numpy_says(
    lasting: Connection, now: datetime
) -> None:
    random = np.random.default_rng(1)
    cpu = read_series(METRICS / "rds_cpu_utilization_cc0c53.csv", now)
    requests = as_counter(read_series(METRICS / "elb_request_count_8c0756.csv", now))
    series = {"cpu": cpu, "requests": requests}
    items = [item for name, sent in series.items() for item in as_items(name, sent)]
    order = random.permutation(len(items))

    accepted = late = 0
    for start in range(0, len(items), BATCH):
        batch = [items[place] for place in order[start : start + BATCH]]
        receipt = ingest_metrics(lasting, batch, now=now)
        accepted, late = accepted + receipt["accepted"], late + receipt["late"]
        # From the first batch on, everything is late.
        for job in JOBS[random.integers(2) :]:
            lasting.execute(job)
    assert accepted == len(items)
    assert late > len(items) / 2

    # Before and after what is late is rolled up.
    for job in ("select 1", *JOBS):
        lasting.execute(job)
        for name, sent in series.items():
            compare(query_agg(lasting, name, "30d", now=now), sent)
    assert ask(lasting, "select coalesce(sum(late_samples), 0) from data.aggregate_restatement") > 0
