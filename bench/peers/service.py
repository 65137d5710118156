"""This service, over REST and in SQL, and the fastest way into its table."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import numpy as np
import psycopg
import redis

from bench import history
from bench.peers.peer import Peer, UnansweredError
from bench.peers.questions import EVERY, Answer, Question, Statistics, Window
from bench.peers.samples import INGESTED, Batch, Samples
from bench.servers import Target

KIND = "peers"
# As the service has by default.
TIMEOUT = "30s"
QUERY = """
select api.query_agg(
    p_kind => %(kind)s, p_window => %(window)s, p_source => %(source)s,
    p_group_by => %(group_by)s, p_fields => %(fields)s, p_as_of => null, p_now => %(now)s
)::text
"""


@contextmanager
def service(target: Target, samples: Samples) -> Iterator[list[Peer]]:
    """Load the samples, roll them up, run the columnstore policies."""
    with (
        history.connect(target.database_url) as conn,
        httpx.Client(base_url=target.url, timeout=300) as http,
        redis.Redis.from_url(target.redis_url) as cache,
    ):
        history.load(conn, [KIND], samples.sources, samples.instants, samples.values)
        history.refresh(conn)
        history.compress(conn)
        history.vacuum(conn)
        # The series that batches are for.
        history.send(conn, samples.batch(len(samples.sources)).json)
        conn.execute(f"set statement_timeout = '{TIMEOUT}'".encode())
        yield [Rest(http, cache), Sql(conn), Arrays(http, cache), Copy(conn)]


class _Service(Peer):
    durable: bool | None = True
    version = ""

    def read(self, question: Question, window: Window, fetched: Any) -> Answer:
        answer = json.loads(fetched)
        start = datetime.fromisoformat(answer["from"]).timestamp()
        previous = answer.get("previous", {})
        before = datetime.fromisoformat(previous["from"]).timestamp() if previous else start
        groups = (
            {group["group"]: _statistics(group) for group in answer["groups"]}
            if question.by_source
            else {"": _statistics(answer)}
        )
        return Answer(Window(start, window.end, before), groups, _statistics(previous))

    def encode(self, batch: Batch) -> bytes:
        return batch.json


class Rest(_Service):
    """Asked over HTTP, with nothing in the cache."""

    name = "ours, REST"
    over_http = True

    def __init__(self, http: httpx.Client, cache: redis.Redis) -> None:
        self._http = http
        self._cache = cache

    def prepare(self) -> None:
        """Empty the cache."""
        self._cache.flushall()

    def ask(self, question: Question, window: Window) -> bytes:
        """GET /query/agg."""
        sent = _arguments(question)
        if sent["fields"] is not None:
            sent["fields"] = ",".join(sent["fields"])
        sent = {name: value for name, value in sent.items() if value is not None}
        answer = self._http.get("/query/agg", params=sent)
        if answer.is_error:
            raise UnansweredError(f"status {answer.status_code}")
        return answer.content

    def ingest(self, encoded: bytes) -> None:
        """POST /ingest/metrics."""
        headers = {"Content-Type": "application/json"}
        sent = self._http.post("/ingest/metrics", content=encoded, headers=headers)
        sent.raise_for_status()


class Arrays(Rest):
    """Sent an item for each source, whose samples are in arrays, as VictoriaMetrics is."""

    name = "ours, REST, arrays"

    def answers(self, question: Question) -> bool:
        """Nothing: the questions are those of `Rest`."""
        return False

    def encode(self, batch: Batch) -> bytes:
        """The samples of the batch by source."""
        series: dict[str, dict[str, Any]] = {}
        for item in json.loads(batch.json):
            of_one = series.setdefault(item["source"], {**item, "ts": [], "value": []})
            of_one["ts"].append(item["ts"])
            of_one["value"].append(item["value"])
        return json.dumps(list(series.values())).encode()


class Sql(_Service):
    """Asked by psycopg."""

    name = "ours, SQL"

    def __init__(self, conn: psycopg.Connection) -> None:
        self._conn = conn

    def ask(self, question: Question, window: Window) -> str:
        """api.query_agg."""
        sent = _arguments(question) | {"now": datetime.now(UTC)}
        try:
            row = self._conn.execute(QUERY, sent).fetchone()
        except psycopg.errors.QueryCanceled:
            raise UnansweredError(f"canceled after {TIMEOUT}") from None
        assert row is not None
        return str(row[0])

    def ingest(self, encoded: bytes) -> None:
        """api.ingest_metrics."""
        history.send(self._conn, encoded)


class Copy(Peer):
    """Binary COPY into the table of samples: the limit of ingest, which answers nothing."""

    name = "binary COPY"
    version = ""
    durable: bool | None = True
    ingest_note = "series are known and nothing is checked"

    def __init__(self, conn: psycopg.Connection) -> None:
        self._conn = conn
        found = conn.execute(history.SERIES, [[INGESTED]]).fetchall()
        self._series = {source: series for source, _, series, _ in found}
        self._kind = found[0][3]

    def answers(self, question: Question) -> bool:
        """Nothing."""
        return False

    def encode(self, batch: Batch) -> tuple[Any, ...]:
        """By instant and series; one instant has all of them."""
        names = batch.table["source"].to_pylist()
        width = min(len(self._series), batch.size)
        series = np.array([self._series[name] for name in names[:width]], np.int64)
        ts = batch.table["ts"].cast("int64").to_numpy()[::width] / 1000
        # Half a millisecond from what the other ways of ingest store.
        values = batch.table["value"].to_numpy()[: len(ts) * width].reshape(len(ts), width)
        return series, np.full(width, self._kind, np.int64), ts + 0.0005, values

    def ingest(self, encoded: tuple[Any, ...]) -> None:
        """One transaction."""
        history.copy(self._conn, *encoded)


def _arguments(question: Question) -> dict[str, Any]:
    return {
        "kind": KIND,
        "window": f"{question.days}d",
        "source": question.source,
        "group_by": "source" if question.by_source else None,
        "fields": None if question.previous else _fields(question),
    }


def _fields(question: Question) -> list[str]:
    return [*question.statistics, *(["groups"] if question.by_source else [])]


def _statistics(found: Mapping[str, Any]) -> Statistics:
    return {name: float(found[name]) for name in EVERY if found.get(name) is not None}
