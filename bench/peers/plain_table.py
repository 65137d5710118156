"""The usual way: a plain table on the same server behind a handler of a few lines."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import numpy as np
import psycopg

from bench import binary_copy
from bench.peers import sql_rows
from bench.peers.peer import Peer
from bench.peers.programs import running
from bench.peers.questions import Answer, Question, Window
from bench.peers.samples import Batch, Samples
from bench.servers import Target

ROOT = Path(__file__).parents[2]
WORKERS = 2
PIECE = 10_000
CREATE = """
create schema plain;
create table plain.sample (
    source text not null,
    ts timestamptz not null,
    value double precision not null,
    primary key (source, ts)
);
create index on plain.sample (ts);
create table plain.ingested (like plain.sample including all)
"""


@contextmanager
def plain_table(target: Target, folder: Path, samples: Samples) -> Iterator[list[Peer]]:
    """Copy the samples, and serve them."""
    with psycopg.connect(target.database_url, autocommit=True, prepare_threshold=None) as conn:
        for statement in CREATE.split(";"):
            conn.execute(statement.encode())
        for at in range(0, len(samples.instants), PIECE):
            instants, values = samples.instants[at : at + PIECE], samples.values[at : at + PIECE]
            columns = {
                "source": np.tile(np.array(samples.sources, "S"), len(instants)),
                "ts": np.repeat(binary_copy.timestamps(instants), len(samples.sources)),
                "value": values.ravel(),
            }
            binary_copy.copy(conn, ("plain", "sample"), columns)
        conn.execute("vacuum analyze plain.sample")

    def command(port: int) -> list[str]:
        return [
            *(sys.executable, "-m", "gunicorn", f"--bind=127.0.0.1:{port}"),
            *(f"--workers={WORKERS}", "--timeout=600", "--log-level=warning", f"--chdir={ROOT}"),
            # Without a worker that keeps connections open, each request would open one.
            *("--worker-class=gthread", "--threads=1", "--keep-alive=60"),
            f"bench.peers.handler:create({target.database_url!r})",
        ]

    with running(command, "/", folder / "handler.log") as http:
        yield [PlainTable(http)]


class PlainTable(Peer):
    """Asked over HTTP; percentiles are exact."""

    name = "the usual way"
    version = "a WSGI handler under gunicorn, psycopg, a plain table on the same server"
    over_http = True
    durable: bool | None = True

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def ask(self, question: Question, window: Window) -> bytes:
        """The handler runs one SELECT."""
        sent = {
            "question": msgspec.json.encode(question).decode(),
            "window": msgspec.json.encode(window).decode(),
        }
        return self._http.get("/", params=sent).raise_for_status().content

    def read(self, question: Question, window: Window, fetched: Any) -> Answer:
        """From JSON."""
        return sql_rows.read(question, window, json.loads(fetched))

    def encode(self, batch: Batch) -> bytes:
        """As JSON."""
        return batch.json

    def ingest(self, encoded: bytes) -> None:
        """One INSERT."""
        self._http.post("/", content=encoded).raise_for_status()
