"""Real series and facts through REST, compared with numpy over the same rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import numpy as np
import psycopg
import pytest

from tests.support import web_server
from tests.support.real_input import FACTS, METRICS
from tests.support.real_series import Sent, as_counter, increase, read_series
from tests.support.rollups import roll_up
from tests.support.timescaledb import Server
from tests.support.valkey import Valkey

SERIES = sorted(METRICS.glob("*.csv"))
COUNTED = ("elb_request_count_8c0756", "ec2_network_in_5abac7")
YEARS_OF_FACTS = 5
BATCH = 5000


@dataclass(frozen=True)
class Imported:
    """A service that holds the real input, and the input."""

    url: str
    database_url: str
    sent: dict[str, Sent]


def read_facts(now: datetime) -> list[dict[str, Any]]:
    """The facts, shifted so that the last one lands at `now`."""
    facts = [json.loads(line) for line in FACTS.read_text(encoding="utf-8").splitlines()]
    shift = now - max(datetime.fromisoformat(fact["ts"]) for fact in facts)
    for fact in facts:
        fact["ts"] = (datetime.fromisoformat(fact["ts"]) + shift).isoformat()
    return facts


def send_series(http: httpx.Client, name: str, sent: Sent) -> None:
    kind = "counter" if sent.counter else "gauge"
    lines = [
        json.dumps({"name": name, "source": "cloud", "type": kind, "ts": ts, "value": value})
        for ts, value in zip(sent.ts.tolist(), sent.value.tolist(), strict=True)
    ]
    for start in range(0, len(lines), BATCH):
        answer = http.post(
            "/ingest/metrics",
            content="\n".join(lines[start : start + BATCH]),
            headers={"Content-Type": "application/x-ndjson"},
        )
        assert answer.json()["accepted"] == len(lines[start : start + BATCH]), answer.text


def send_facts(http: httpx.Client, facts: list[dict[str, Any]], now: datetime) -> Sent:
    """Send all facts; those older than their retention have to be refused by name."""
    leap_day = (now.month, now.day) == (2, 29)
    oldest = now.replace(year=now.year - YEARS_OF_FACTS, day=28 if leap_day else now.day)
    receipt = http.post("/ingest/facts", params={"partial": "true"}, json=facts).json()
    old = {n for n, f in enumerate(facts) if datetime.fromisoformat(f["ts"]) < oldest}
    assert {(bad["index"], bad["slug"]) for bad in receipt["rejected"]} == {
        (n, "ts_within_retention") for n in old
    }
    assert receipt["accepted"] == len(facts) - len(old)
    kept = sorted(
        (datetime.fromisoformat(fact["ts"]).timestamp(), float(fact["value"]))
        for n, fact in enumerate(facts)
        if n not in old
    )
    return Sent(np.array([ts for ts, _ in kept]), np.array([value for _, value in kept]))


@pytest.fixture(scope="module")
def imported(
    database_server: Server, valkey_server: Valkey, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Imported]:
    log = tmp_path_factory.mktemp("real") / "log"
    with (
        database_server.deployed() as database_url,
        web_server.start(database_url, valkey_server.own(), log) as service,
        httpx.Client(base_url=service.url, timeout=120) as http,
    ):
        now = datetime.now(UTC)
        sent = {path.stem: read_series(path, now) for path in SERIES}
        sent |= {f"{name}_total": as_counter(sent[name]) for name in COUNTED}
        for name, series in sent.items():
            send_series(http, name, series)
        sent["Fact:CommitLanded"] = send_facts(http, read_facts(now), now)
        yield Imported(service.url, database_url, sent)


@pytest.fixture(scope="module", params=["from samples", "from rollups"])
def answers(imported: Imported, request: pytest.FixtureRequest) -> dict[str, dict[str, Any]]:
    """The answers for every window, before and after the rollups were made."""
    if request.param == "from rollups":
        with psycopg.connect(imported.database_url, autocommit=True, prepare_threshold=None) as c:
            roll_up(c, datetime.now(UTC) - timedelta(hours=1))
    with httpx.Client(base_url=imported.url, timeout=120) as http:
        # A fact renews the answers about every kind together.
        fact = {"kind": "Fact:Asked", "source": "test", "subject": request.param}
        assert http.post("/ingest/facts", json=fact).json()["accepted"] == 1
        return {
            window: {
                answer["kind"]: answer
                for answer in http.get("/query/agg", params={"window": window}).json()["kinds"]
            }
            for window in ("7d", "30d")
        }


def within(answer: dict[str, Any], sent: Sent) -> Sent:
    """What was sent of the window that an answer is about."""
    start, end = (datetime.fromisoformat(answer[name]).timestamp() for name in ("from", "to"))
    inside = (sent.ts >= start) & (sent.ts <= end)
    return Sent(sent.ts[inside], sent.value[inside], sent.counter)


def grown(answer: dict[str, Any], sent: Sent) -> float:
    """Growth of a counter, that since the last reading before the window included."""
    start, end = (datetime.fromisoformat(answer[name]).timestamp() for name in ("from", "to"))
    inside = within(answer, sent)
    before = sent.ts < start
    total = increase(inside.value)
    if before.any() and len(inside.ts):
        gap = inside.ts[0] - sent.ts[before][-1]
        if start - sent.ts[before][-1] <= timedelta(days=7).total_seconds():
            first = increase(np.array([sent.value[before][-1], inside.value[0]]))
            total += first * min(1, (end - start) / gap)
    return total


NAMES = [*(path.stem for path in SERIES), *(f"{name}_total" for name in COUNTED)]


@pytest.mark.parametrize("name", [*NAMES, "Fact:CommitLanded"])
@pytest.mark.parametrize("window", ["7d", "30d"])
def test_an_aggregate_is_what_numpy_says(
    imported: Imported, answers: dict[str, dict[str, Any]], name: str, window: str
) -> None:
    answer = answers[window][name]
    sent = within(answer, imported.sent[name])
    assert answer["count"] == len(sent.value)
    if len(sent.value) == 0:
        assert answer["sum"] is None
        return
    expected = {
        "sum": sent.value.sum(),
        "avg": sent.value.mean(),
        "min": sent.value.min(),
        "max": sent.value.max(),
        "last": sent.value[-1],
    }
    assert {field: answer[field] for field in expected} == pytest.approx(expected, rel=1e-9)
    assert answer["stddev"] == pytest.approx(sent.value.std(), rel=1e-9, abs=1e-9)
    for percent in (50, 90, 95, 99):
        exact = np.percentile(sent.value, percent)
        assert answer[f"p{percent}"] == pytest.approx(exact, rel=answer["error_bound"] + 1e-9)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("window", ["7d", "30d"])
def test_a_rate_is_what_numpy_says(
    imported: Imported, answers: dict[str, dict[str, Any]], name: str, window: str
) -> None:
    answer = answers[window][name]
    sent = imported.sent[name]
    growth = grown(answer, sent) if sent.counter else len(within(answer, sent).value)
    start, end = (datetime.fromisoformat(answer[field]) for field in ("from", "to"))
    assert answer["rate_per_second"] == pytest.approx(
        growth / (end - start).total_seconds(), rel=1e-9
    )


def test_every_kind_that_was_sent_is_answered(
    imported: Imported, answers: dict[str, dict[str, Any]]
) -> None:
    for kinds in answers.values():
        assert set(kinds) == {*imported.sent, "Fact:Asked"}
