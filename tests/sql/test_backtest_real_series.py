"""Back-tests on real series whose incidents are known."""

from __future__ import annotations

import csv
import json
from datetime import datetime, timedelta

from psycopg import Connection

from tests.sql.backtests import backtest, suggest
from tests.sql.calls import Item, Json, ingest_metrics, metric
from tests.support.real_input import INCIDENTS, METRICS

CPU = "rds_cpu_utilization_cc0c53"
# The end of the series in the past of the tests.
END = datetime.fromisoformat("2025-06-15T12:00:00+00:00")


def read(name: str) -> tuple[list[Item], list[Json]]:
    """A series and its incidents, moved so that the series ends at END."""
    rows = list(csv.DictReader((METRICS / f"{name}.csv").read_text("utf-8").splitlines()))
    windows = json.loads(INCIDENTS.read_text("utf-8"))[f"{name}.csv"]
    shift = END - moment(rows[-1]["timestamp"])
    items = [
        metric(name, value=float(row["value"]), ts=(moment(row["timestamp"]) + shift).isoformat())
        for row in rows
    ]
    incidents = [
        {"from": (moment(begin) + shift).isoformat(), "to": (moment(end) + shift).isoformat()}
        for begin, end in windows
    ]
    return items, incidents


def moment(written: str) -> datetime:
    return datetime.fromisoformat(f"{written}+00:00")


def test_a_suggested_threshold_finds_the_incidents_of_a_real_series(db: Connection) -> None:
    items, incidents = read(CPU)
    ingest_metrics(db, items, now=END)
    condition = {"type": "metric", "kind": CPU, "statistic": "max", "window": "10m"}
    since = datetime.fromisoformat(str(items[0]["ts"]))
    times = {"since": since, "until": END + timedelta(minutes=5), "step": "5m"}

    found = suggest(db, condition, 8, **times)
    tested = backtest(
        db,
        {"condition": {**condition, "operator": ">", "threshold": found["threshold"]}},
        incidents=incidents,
        since=since,
        until=END + timedelta(minutes=5),
        step="5m",
    )

    score = tested["incidents"]
    assert tested["alerts"] == found["alerts"] == 3
    assert (score["count"], score["recall"], score["precision"]) == (len(incidents), 1, 1)
