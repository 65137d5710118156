"""POST /ingest/metrics and POST /ingest/facts."""

from __future__ import annotations

import gzip
import json
import socket
import time
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.rest.conftest import slug_of

NDJSON = {"Content-Type": "application/x-ndjson"}
JSON = {"Content-Type": "application/json"}
MIB = 1024 * 1024


def receipt(accepted: int = 0, **other: Any) -> dict[str, Any]:
    return {
        "accepted": accepted,
        "duplicate": 0,
        "conflict": 0,
        "late": 0,
        "rejected": [],
        **other,
    }


def items(name: str, count: int) -> list[dict[str, Any]]:
    now = time.time()
    return [{"name": name, "source": "a", "value": n, "ts": now - n} for n in range(count)]


def test_one_item_is_stored(http: httpx.Client, name: str) -> None:
    answer = http.post("/ingest/metrics", json={"name": name, "source": "a", "value": 1})
    assert (answer.status_code, answer.json()) == (200, receipt(1))


def test_a_batch_is_stored_and_its_repetition_makes_no_second_row(
    http: httpx.Client, name: str
) -> None:
    batch = items(name, 50)
    assert http.post("/ingest/metrics", json=batch).json() == receipt(50)
    assert http.post("/ingest/metrics", json=batch).json() == receipt(duplicate=50)
    assert http.get("/query/agg", params={"kind": name, "window": "1h"}).json()["count"] == 50


def test_another_value_at_the_same_instant_is_a_conflict(http: httpx.Client, name: str) -> None:
    [item] = items(name, 1)
    http.post("/ingest/metrics", json=item)
    answer = http.post("/ingest/metrics", json={**item, "value": 99})
    assert answer.json() == receipt(conflict=1)


@pytest.mark.parametrize("media_type", ["application/x-ndjson", "application/jsonl"])
def test_lines_are_stored(http: httpx.Client, name: str, media_type: str) -> None:
    lines = "\n".join(json.dumps(item) for item in items(name, 20)) + "\n\n"
    answer = http.post("/ingest/metrics", content=lines, headers={"Content-Type": media_type})
    assert answer.json() == receipt(20)


@pytest.mark.parametrize("members", [1, 3])
def test_gzip_is_read(http: httpx.Client, name: str, members: int) -> None:
    lines = [json.dumps(item).encode() + b"\n" for item in items(name, 30)]
    body = b"".join(gzip.compress(b"".join(lines[n::members]), mtime=0) for n in range(members))
    answer = http.post(
        "/ingest/metrics", content=body, headers={**NDJSON, "Content-Encoding": "gzip"}
    )
    assert answer.json() == receipt(30)


def test_a_large_body_is_read(http: httpx.Client, fact_kind: str) -> None:
    facts = [
        {
            "kind": fact_kind,
            "source": fact_kind,
            "fact_id": str(n),
            "payload": {"text": "x" * 60_000},
        }
        for n in range(120)
    ]
    body = gzip.compress(json.dumps(facts).encode(), mtime=0)
    answer = http.post("/ingest/facts", content=body, headers={**JSON, "Content-Encoding": "gzip"})
    assert answer.json() == receipt(120)


def test_every_bad_item_is_named_and_nothing_is_stored(http: httpx.Client, name: str) -> None:
    batch = items(name, 3)
    batch[0]["value"] = "high"
    batch[2]["labels"] = {"core": 1}
    answer = http.post("/ingest/metrics", json=batch)
    assert (answer.status_code, slug_of(answer)) == (422, "items_refused")
    refused = answer.json()["params"]["items"]
    assert [(item["index"], item["field"], item["slug"]) for item in refused] == [
        (0, "value", "value_finite"),
        (2, "labels.core", "labels_well_formed"),
    ]
    assert http.get("/query/agg", params={"kind": name, "window": "1h"}).status_code == 404


def test_partial_stores_the_good_and_returns_the_bad(http: httpx.Client, name: str) -> None:
    batch = items(name, 3)
    batch[1]["unknown"] = True
    receipt = http.post("/ingest/metrics?partial=true", json=batch).json()
    assert receipt["accepted"] == 2
    assert [(item["index"], item["slug"]) for item in receipt["rejected"]] == [
        (1, "item_fields_known")
    ]


def test_the_same_key_gets_the_first_receipt_also_without_timestamps(
    http: httpx.Client, name: str
) -> None:
    item = {"name": name, "source": "a", "value": 1}
    for _ in range(2):
        answer = http.post("/ingest/metrics", json=item, headers={"Idempotency-Key": name})
        assert answer.json() == receipt(1)
    assert http.get("/query/agg", params={"kind": name, "window": "1h"}).json()["count"] == 1


def test_a_key_with_another_body_is_refused(http: httpx.Client, name: str) -> None:
    headers = {"Idempotency-Key": name}
    http.post("/ingest/metrics", json=items(name, 1), headers=headers)
    answer = http.post("/ingest/metrics", json=items(name, 2), headers=headers)
    assert (answer.status_code, slug_of(answer)) == (409, "idempotency_key_reused")


def test_a_full_quota_says_when_to_come_back(http: httpx.Client, name: str) -> None:
    batch = [
        {"name": name, "source": name, "value": 1, "labels": {"n": str(n)}} for n in range(2001)
    ]
    answer = http.post("/ingest/metrics", json=batch)
    assert (answer.status_code, slug_of(answer)) == (429, "series_within_quota")
    assert answer.headers["retry-after"] == "3600"


@pytest.mark.parametrize("key", ["with space", "", "x" * 201])
def test_an_invalid_key_is_refused(http: httpx.Client, name: str, key: str) -> None:
    answer = http.post("/ingest/metrics", json=items(name, 1), headers={"Idempotency-Key": key})
    assert (answer.status_code, slug_of(answer)) == (422, "idempotency_key_well_formed")


def test_a_fact_is_stored_once_by_its_id(http: httpx.Client, fact_kind: str) -> None:
    fact = {"kind": fact_kind, "source": fact_kind, "fact_id": "1", "ts": time.time(), "value": 2}
    assert http.post("/ingest/facts", json=fact).json() == receipt(1)
    assert http.post("/ingest/facts", json=[fact]).json() == receipt(duplicate=1)
    assert http.post("/ingest/facts", json={**fact, "value": 3}).json() == receipt(conflict=1)


@pytest.mark.parametrize("path", ["/ingest/metrics", "/ingest/facts"])
@pytest.mark.parametrize(
    ("body", "headers", "status", "slug"),
    [
        (b"", JSON, 400, "json_malformed"),
        (b"{", JSON, 400, "json_malformed"),
        (b'[{"value":NaN}]', JSON, 400, "json_malformed"),
        (b'"\xff"', JSON, 400, "json_malformed"),
        (b'"\\u0000"', JSON, 400, "json_malformed"),
        (b"{}\x00", JSON, 400, "json_malformed"),
        (b"[" * 100_000, JSON, 400, "json_too_deep"),
        (b'{"a":1,"a":2}', JSON, 400, "json_keys_repeated"),
        (b'{"a":1,"a":2}\n', NDJSON, 400, "json_keys_repeated"),
        (b'{"a":1}\n{"a":', NDJSON, 400, "json_malformed"),
        (b'{"a":1}, {"a":1}', NDJSON, 400, "json_malformed"),
        (b'"text"', JSON, 422, "body_is_items"),
        (b"null", JSON, 422, "body_is_items"),
        (b"[1]", JSON, 422, "items_refused"),
        (b"[{}]", JSON, 422, "items_refused"),
        (b'[{"value":1e999999}]', JSON, 422, "value_invalid"),
        (b"[" + b"{}," * 10_000 + b"{}]", JSON, 413, "batch_within_limit"),
        (b"[]", {}, 415, "content_type_known"),
        (b"", {}, 415, "content_type_known"),
        (b"[]", {"Content-Type": "text/plain"}, 415, "content_type_known"),
        (b"[]", {"Content-Type": "application/json; charset=latin1"}, 415, "content_type_known"),
        (b"[]", {"Content-Type": ";;;"}, 415, "content_type_known"),
        (b"[]", {**JSON, "Content-Encoding": "br"}, 415, "content_encoding_known"),
        (b"[]", {**JSON, "Content-Encoding": "gzip"}, 400, "gzip_malformed"),
        (
            gzip.compress(b"[]", mtime=0)[:-4],
            {**JSON, "Content-Encoding": "gzip"},
            400,
            "gzip_malformed",
        ),
        (b" " * (8 * MIB + 1), JSON, 413, "body_within_limit"),
        (
            gzip.compress(b" " * (5 * MIB), mtime=0) * 2,
            {**JSON, "Content-Encoding": "gzip"},
            413,
            "body_within_limit",
        ),
        (
            gzip.compress(b" " * (200 * MIB), mtime=0),
            {**JSON, "Content-Encoding": "gzip"},
            413,
            "body_within_limit",
        ),
    ],
)
def test_a_bad_body_is_refused_by_name(
    http: httpx.Client,
    path: str,
    body: bytes,
    headers: dict[str, str],
    *,
    status: int,
    slug: str,
) -> None:
    answer = http.post(path, content=body, headers=headers)
    assert (answer.status_code, slug_of(answer)) == (status, slug)


def test_a_chunked_body_beyond_the_limit_is_refused(http: httpx.Client) -> None:
    def chunks() -> Any:
        for _ in range(9):
            yield b" " * MIB

    answer = http.post("/ingest/metrics", content=chunks(), headers=JSON)
    assert (answer.status_code, slug_of(answer)) == (413, "body_within_limit")


@pytest.mark.parametrize("value", ["1", "TRUE", ""])
def test_partial_is_true_or_false(http: httpx.Client, value: str) -> None:
    answer = http.post("/ingest/metrics", params={"partial": value}, json=[])
    assert (answer.status_code, slug_of(answer)) == (422, "parameter_well_formed")


def test_an_empty_batch_stores_nothing(http: httpx.Client) -> None:
    assert http.post("/ingest/metrics", json=[]).json() == receipt()
    assert http.post("/ingest/metrics", content=b"\n", headers=NDJSON).json() == receipt()


@pytest.mark.parametrize("framing", ["Content-Length: 1000", "Transfer-Encoding: chunked"])
def test_a_body_that_is_cut_short_at_a_line_stores_nothing(
    http: httpx.Client, service: str, name: str, framing: str
) -> None:
    line = json.dumps({"name": name, "source": "a", "value": 1}).encode() + b"\n"
    body = line if framing.startswith("Content") else b"%x\r\n%s\r\n" % (len(line), line)
    address = urlsplit(service)
    with socket.create_connection((str(address.hostname), address.port or 80)) as connection:
        head = f"POST /ingest/metrics HTTP/1.1\r\nHost: localhost\r\n{framing}\r\n"
        connection.sendall(f"{head}Content-Type: application/x-ndjson\r\n\r\n".encode() + body)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(65536)
    assert http.get("/query/agg", params={"kind": name, "window": "1h"}).status_code == 404
