"""The usual way: a WSGI application that asks a plain table with GROUP BY; run by gunicorn."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

import msgspec
import psycopg

from bench.peers import sql_rows
from bench.peers.questions import Question, Window

Start = Callable[[str, list[tuple[str, str]]], object]

EXPRESSIONS = {
    "count": "count(*)",
    "sum": "sum(value)",
    "avg": "avg(value)",
    "min": "min(value)",
    "max": "max(value)",
    "stddev": "stddev_pop(value)",
    "last": "(array_agg(value order by ts desc, value desc))[1]",
}
STORE = """
insert into plain.ingested (source, ts, value)
select source, ts, value
from json_to_recordset(%s::json) as item (source text, ts timestamptz, value double precision)
"""


def create(database_url: str) -> Callable[[dict[str, Any], Start], Iterable[bytes]]:
    """The application, with a connection for each worker."""
    opened: list[psycopg.Connection] = []

    def application(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        if not opened:
            opened.append(psycopg.connect(database_url, autocommit=True, prepare_threshold=None))
        answer = _answer(opened[0], environ)
        length = str(len(answer))
        start("200 OK", [("Content-Type", "application/json"), ("Content-Length", length)])
        return [answer]

    return application


def _answer(conn: psycopg.Connection, environ: dict[str, Any]) -> bytes:
    if environ["REQUEST_METHOD"] == "POST":
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        conn.execute(STORE, [body.decode()])
        return b"{}"
    sent = parse_qs(environ["QUERY_STRING"])
    if not sent:
        return b"{}"
    question = msgspec.json.decode(sent["question"][0], type=Question)
    window = msgspec.json.decode(sent["window"][0], type=Window)
    return json.dumps(conn.execute(_select(question, window).encode()).fetchall()).encode()


def _select(question: Question, window: Window) -> str:
    expressions = [EXPRESSIONS[name] for name in question.plain]
    if question.quantiles:
        shares = ", ".join(map(str, question.quantiles.values()))
        expressions.append(f"percentile_cont(array[{shares}]) within group (order by value)")
    return sql_rows.select(question, window, expressions, _moment, table="plain.sample")


def _moment(at: float) -> str:
    return f"to_timestamp({at})"
