"""Counts of requests and deliveries in the Prometheus text format.

With several workers each writes its counts to files of the directory that
`server/gunicorn_config.py` makes, and the one that is asked adds them up.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
    values,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector

MEDIA_TYPE = CONTENT_TYPE_LATEST


@cache
def process() -> int:
    """The number of this process, for which a system call at each count would take too long."""
    return os.getpid()


os.register_at_fork(after_in_child=process.cache_clear)
if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
    values.ValueClass = values.MultiProcessValue(process)  # type: ignore[no-untyped-call]

REQUESTS = Counter("supervisor_http_requests", "Requests answered.", ("method", "route", "status"))
SECONDS = Histogram(
    "supervisor_http_request_duration_seconds",
    "Time from the request's headers to the end of the answer.",
    ("route",),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
DELIVERIES = Counter(
    "supervisor_delivery_attempts",
    "Attempts to deliver to a subscription; failed ones are repeated, given_up ones are not.",
    ("subscription", "outcome"),
)
READS = Counter(
    "supervisor_database_reads",
    "Reads that a primary or its standby answered, where the service has both.",
    ("server",),
)
METHODS = frozenset({"GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"})

HELP = {
    "database_up": "Whether the database answered this scrape in time.",
    "standby_up": "Whether the standby that answers reads answered when it was asked last.",
    "standby_lag_seconds": "How far the standby is behind its primary.",
    "reads_from_standby": "Whether the standby answers questions about kinds.",
    "kinds": "Kinds in the catalogue; many are estimated.",
    "sources": "Sources in the catalogue; many are estimated.",
    "series": "Series in the catalogue; many are estimated.",
    "late_samples": "Late samples that are not rolled up yet.",
    "migrations": "Migrations that the database has.",
    "failing_jobs": "Jobs of the database of which the last run failed.",
    "job_runs": "Runs of a job of the database; on the embedded server, turns.",
    "job_last_run_duration_seconds": "How long the last run of a job of the database took.",
    "alerts": "Active alerts.",
    "alert_rules": "Alert rules.",
    "alert_rules_failing": "Alert rules that cannot be evaluated.",
    "alert_last_evaluation_timestamp_seconds": "When alert rules were evaluated last.",
    "alert_last_evaluation_duration_seconds": "How long the last evaluation of alert rules took.",
    "proof_buckets": "Buckets of rollups that were computed again in the last 7 days.",
    "proof_mismatches": "Kinds and series in them that differ from their samples.",
    "outbox_items": "Alerts and facts that no request to a subscriber has yet; many are estimated.",
    "deliveries_pending": "Requests to subscribers that are neither delivered nor given up.",
    "delivery_oldest_age_seconds": "For how long the oldest of what is to be delivered is due.",
}


def count(method: str, route: str, status: int, seconds: float) -> None:
    """Count a request that was answered."""
    requests, durations = _children(method if method in METHODS else "other", route, status)
    requests.inc()
    durations.observe(seconds)


def count_refused(status: int) -> None:
    """Count a request that was refused before its method and path were read."""
    REQUESTS.labels("other", "none", status).inc()


def count_read(server: str) -> None:
    """Count a read that a server, primary or standby, answered."""
    READS.labels(server).inc()


def count_delivery(subscription: str, outcome: str) -> None:
    """Count an attempt to deliver."""
    DELIVERIES.labels(subscription, outcome).inc()


def expose(state: Mapping[str, Any]) -> bytes:
    """All counts, and the numbers of the database's state as gauges `supervisor_<name>`.

    A list has a `value` for each combination of its other members, which are labels.
    """
    registry = CollectorRegistry()
    registry.register(_State(state))
    own: CollectorRegistry = CollectorRegistry()
    try:
        MultiProcessCollector(own)  # type: ignore[no-untyped-call]
    except ValueError:
        own = REGISTRY
    return generate_latest(registry) + generate_latest(own)


class _State:
    def __init__(self, state: Mapping[str, Any]) -> None:
        self._state = state

    def collect(self) -> Iterator[Metric]:
        """One gauge for every number and every list."""
        for name, value in self._state.items():
            if isinstance(value, int | float):
                yield GaugeMetricFamily(f"supervisor_{name}", HELP[name], value)
            elif isinstance(value, list):
                yield _labelled(name, value)


def _labelled(name: str, members: list[dict[str, Any]]) -> GaugeMetricFamily:
    labels = [label for label in members[0] if label != "value"]
    gauge = GaugeMetricFamily(f"supervisor_{name}", HELP[name], labels=labels)
    for member in members:
        gauge.add_metric([member[label] for label in labels], member["value"])
    return gauge


@cache
def _children(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    return REQUESTS.labels(method, route, status), SECONDS.labels(route)
