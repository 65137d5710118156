"""Health, metrics, paths, request ids, the log, start and stop."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import httpx
import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate
from prometheus_client.parser import text_string_to_metric_families

from tests.rest.conftest import slug_of
from tests.support import web_server
from tests.support.ports import free_port
from tests.support.repository import ROOT
from tests.support.waiting import eventually


def lines_of(log: Path, request_id: str) -> list[dict[str, Any]]:
    """The access lines of a request; the line is written after the answer is sent."""
    return eventually(
        lambda: [json.loads(line) for line in log.read_text().splitlines() if request_id in line],
        "the access line",
    )


def test_the_process_is_live(http: httpx.Client) -> None:
    assert http.get("/livez").json() == {"status": "ok"}


def test_the_service_is_ready(http: httpx.Client) -> None:
    ready = {"status": "ready", "database": "ok", "cache": "ok", "ingest": "ok", "reasons": []}
    assert http.get("/readyz").json() == ready


def test_without_redis_the_service_answers_and_says_degraded(
    database_url: str, tmp_path: Path
) -> None:
    nowhere = f"redis://127.0.0.1:{free_port()}/0"
    with web_server.start(database_url, nowhere, tmp_path / "log", workers=1) as alone:
        answer = httpx.get(f"{alone.url}/readyz").json()
        assert (answer["status"], answer["cache"]) == ("degraded", "degraded")
        assert answer["reasons"] == ["cache: Redis cannot be reached"]
        assert httpx.get(f"{alone.url}/query/agg?window=7d").status_code == 200


@pytest.mark.server
def test_without_a_database_the_service_says_so_and_when_to_come_back(tmp_path: Path) -> None:
    nowhere = f"postgresql://postgres@127.0.0.1:{free_port()}/postgres"
    with web_server.start(nowhere, None, tmp_path / "log", workers=1, ready=503) as alone:
        answer = httpx.get(f"{alone.url}/readyz", timeout=30)
        assert (answer.status_code, slug_of(answer)) == (503, "unavailable")
        assert int(answer.headers["retry-after"]) > 0
        assert answer.json()["params"] == {"database": "unavailable", "cache": "off"}
        assert httpx.get(f"{alone.url}/livez").status_code == 200


def test_requests_of_all_workers_are_counted(service: str) -> None:
    def livez_count() -> float:
        text = httpx.get(f"{service}/metrics").text
        families = {family.name: family for family in text_string_to_metric_families(text)}
        return sum(
            sample.value
            for sample in families["supervisor_http_requests"].samples
            if sample.labels.get("route") == "/livez"
        )

    before = livez_count()
    for _ in range(40):
        # A connection each, so that both workers answer some.
        httpx.get(f"{service}/livez")
    assert [livez_count() for _ in range(5)] == [before + 40] * 5


def test_what_the_database_holds_is_exposed(http: httpx.Client, name: str) -> None:
    http.post("/ingest/metrics", json={"name": name, "source": "a", "value": 1})
    answer = http.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert re.search(r"^supervisor_series [1-9]", answer.text, re.MULTILINE)


def test_alerts_and_deliveries_are_exposed(http: httpx.Client) -> None:
    text = http.get("/metrics").text
    families = {family.name: family for family in text_string_to_metric_families(text)}
    alerts = {
        (sample.labels["state"], sample.labels["severity"])
        for sample in families["supervisor_alerts"].samples
    }
    assert len(alerts) == 6
    for name in ("alert_rules", "alert_rules_failing", "outbox_items", "deliveries_pending"):
        assert families[f"supervisor_{name}"].samples[0].value >= 0
    assert families["supervisor_delivery_oldest_age_seconds"].type == "gauge"


def test_every_metric_is_in_the_list_of_the_documents(http: httpx.Client) -> None:
    families = text_string_to_metric_families(http.get("/metrics").text)
    documented = (ROOT / "docs" / "operations.md").read_text()
    own = {family.name for family in families if family.name.startswith("supervisor_")}
    assert [name for name in sorted(own) if f"`{name}" not in documented] == []


def test_an_unknown_path_makes_no_count_of_its_own(http: httpx.Client) -> None:
    http.get("/nothing/here/at/all")
    assert "/nothing/here" not in http.get("/metrics").text


@pytest.mark.parametrize("path", ["/nowhere", "/query", "/livez/", "/query/agg/", "/%00"])
def test_an_unknown_path_is_a_problem(http: httpx.Client, path: str) -> None:
    answer = http.get(path)
    assert (answer.status_code, slug_of(answer)) == (404, "route_unknown")


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/query/agg"), ("GET", "/ingest/facts"), ("DELETE", "/livez")]
)
def test_a_method_that_a_path_does_not_take_is_a_problem(
    http: httpx.Client, method: str, path: str
) -> None:
    answer = http.request(method, path)
    assert (answer.status_code, slug_of(answer)) == (405, "method_unknown")
    assert answer.headers["allow"]


@pytest.mark.parametrize(
    ("headers", "status", "slug"),
    [
        ({"Origin": "https://evil.example"}, 403, "origin_allowed"),
        ({"Origin": "null"}, 403, "origin_allowed"),
        ({"Host": "evil.example"}, 421, "host_allowed"),
    ],
)
def test_a_page_of_elsewhere_neither_stores_nor_reads(
    http: httpx.Client, name: str, headers: dict[str, str], status: int, slug: str
) -> None:
    item = {"name": name, "source": "a", "value": 1}
    for answer in [
        http.post("/ingest/metrics", json=item, headers=headers),
        http.get("/query/kinds", headers=headers),
        http.post("/mcp", json={}, headers=headers),
    ]:
        assert (answer.status_code, slug_of(answer)) == (status, slug)
    assert http.get("/query/agg", params={"kind": name, "window": "1h"}).status_code == 404


def test_hosts_and_origins_are_lists_of_an_operator(database_url: str, tmp_path: Path) -> None:
    lists = {
        "SUPERVISOR_ALLOWED_HOSTS": "app.example,*.internal",
        "SUPERVISOR_ALLOWED_ORIGINS": "https://page.example, http://other.example:3000",
    }
    with web_server.start(database_url, None, tmp_path / "log", workers=1, settings=lists) as alone:
        for host in ["app.example", "app.example:443", "deep.internal", "127.0.0.1", "localhost"]:
            assert httpx.get(f"{alone.url}/livez", headers={"Host": host}).status_code == 200
        assert httpx.get(f"{alone.url}/livez", headers={"Host": "evil.example"}).status_code == 421
        for origin in ["https://page.example", "http://other.example:3000"]:
            answer = httpx.get(f"{alone.url}/readyz", headers={"Origin": origin})
            assert answer.headers["access-control-allow-origin"] == origin


READ = ("/", "/livez", "/readyz", "/metrics", "/openapi.json", "/query/kinds", "/query/facts")


@pytest.mark.parametrize("path", READ)
def test_head_answers_as_get_does_without_the_body(http: httpx.Client, path: str) -> None:
    head, get = http.head(path), http.get(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == get.headers["content-type"]


@pytest.mark.parametrize("path", [*READ, "/ingest/metrics", "/ingest/facts"])
def test_options_allow_and_405_agree(http: httpx.Client, path: str) -> None:
    options = http.options(path)
    allowed = {method.strip() for method in options.headers["allow"].split(",")}
    assert options.status_code == 200
    assert allowed == ({"OPTIONS", "POST"} if "ingest" in path else {"GET", "HEAD", "OPTIONS"})
    for method in {"DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"} - allowed:
        refused = http.request(method, path)
        assert refused.status_code == 405, method
        assert {m.strip() for m in refused.headers["allow"].split(",")} == allowed, method


@pytest.mark.parametrize(
    "raw",
    [
        b"GET / HTTP/9.9\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nbad header: x\r\n\r\n",
        b"POST /ingest/facts HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    ],
)
def test_a_request_that_is_not_http_is_a_problem(service: str, raw: bytes) -> None:
    address = httpx.URL(service)
    with socket.create_connection((address.host, address.port or 80), timeout=10) as connection:
        connection.sendall(raw)
        answer = b""
        while part := connection.recv(65536):
            answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"content-type: application/problem+json" in head
    problem = json.loads(body)
    assert problem["type"] == "urn:supervisor-mcp:problem:request_invalid"
    assert problem["request_id"].encode() in head


def test_a_large_answer_is_compressed_for_those_who_accept_it(http: httpx.Client) -> None:
    plain = http.get("/openapi.json", headers={"Accept-Encoding": "identity"})
    packed = http.get("/openapi.json", headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(plain.content) / 3
    assert packed.content == plain.content
    assert "accept-encoding" in packed.headers["vary"].lower()


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [
        ("gzip;q=0", False),
        ("br, gzip; q=0.0", False),
        ("*;q=0.5", False),
        ("x-gzip-2", False),
        ("br;q=1, gzip;q=0.5", True),
        ("deflate, gzip", True),
    ],
)
def test_an_answer_is_compressed_only_where_gzip_has_a_weight(
    http: httpx.Client, accepted: str, packed: bool
) -> None:
    answer = http.get("/openapi.json", headers={"Accept-Encoding": accepted})
    assert ("content-encoding" in answer.headers) is packed
    assert answer.json()["openapi"] == "3.1.0"


def test_a_json_answer_ends_with_a_newline(http: httpx.Client) -> None:
    for path in ("/", "/livez", "/query/kinds", "/nowhere", "/query/agg"):
        assert http.get(path).text.endswith("}\n"), path


@pytest.mark.parametrize("path", ["/", "/livez", "/readyz", "/metrics", "/openapi.json"])
def test_paths_without_parameters_refuse_them(http: httpx.Client, path: str) -> None:
    answer = http.get(f"{path}?verbose=1")
    assert (answer.status_code, slug_of(answer)) == (422, "parameter_known")


def test_the_index_leads_to_every_path(http: httpx.Client) -> None:
    paths = http.get("/openapi.json").json()["paths"]
    assert set(http.get("/").json()["links"].values()) == {*paths, "/openapi.json"}


def test_a_request_id_is_taken_over(http: httpx.Client) -> None:
    answer = http.get("/livez", headers={"X-Request-Id": "mine-1"})
    assert answer.headers["x-request-id"] == "mine-1"


@pytest.mark.parametrize("sent", [b"", b"with space", b"x" * 129, b"\xff"])
def test_an_invalid_request_id_is_replaced(http: httpx.Client, sent: bytes) -> None:
    headers = httpx.Headers([(b"X-Request-Id", sent)])
    assert len(http.get("/livez", headers=headers).headers["x-request-id"]) == 32


def test_a_request_is_one_line_of_the_log_without_its_content(
    http: httpx.Client, log: Path, name: str
) -> None:
    answer = http.post(
        "/ingest/metrics?partial=true",
        json={"name": name, "source": "secret-source", "value": 1},
        headers={"Authorization": "Bearer secret-token"},
    )
    [line] = lines_of(log, answer.headers["x-request-id"])
    assert (line["method"], line["path"], line["status"]) == ("POST", "/ingest/metrics", 200)
    assert line["ms"] > 0
    assert "secret" not in log.read_text()


def test_the_log_of_requests_can_be_switched_off(database_url: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    quiet = {"SUPERVISOR_LOG_LEVEL": "warning"}
    with web_server.start(database_url, None, log, workers=1, settings=quiet) as alone:
        httpx.get(f"{alone.url}/livez")
    assert log.read_text() == ""


def test_the_document_is_openapi(http: httpx.Client) -> None:
    validate(http.get("/openapi.json").json())


def test_the_document_describes_the_answers(http: httpx.Client, name: str, fact_kind: str) -> None:
    http.post("/ingest/metrics", json={"name": name, "source": "a", "value": 1})
    fact = {"kind": fact_kind, "source": "a", "payload": {"deep": [1]}}
    document = http.get("/openapi.json").json()
    asked = {
        "Aggregate": f"/query/agg?window=7d&group_by=source&kind={name}",
        "Aggregates": "/query/agg?window=7d",
        "FactPage": f"/query/facts?kind={fact_kind}",
        "KindPage": "/query/kinds",
        "Problem": "/query/agg",
        "Readiness": "/readyz",
        "SeriesResult": f"/query/metrics?step=1h&name={name}",
    }
    answers = {"Receipt": http.post("/ingest/facts", json=fact)}
    answers |= {schema: http.get(path) for schema, path in asked.items()}
    for schema, answer in answers.items():
        whole = {"$ref": f"#/components/schemas/{schema}", "components": document["components"]}
        OAS31Validator(whole).validate(answer.json())
        described = set(_properties(document, schema))
        assert set(answer.json()) <= described, schema


def _properties(document: dict[str, Any], schema: str) -> dict[str, Any]:
    found: dict[str, Any] = document["components"]["schemas"][schema]["properties"]
    return found


def _listens(address: httpx.URL) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((address.host, address.port)) == 0


def test_a_request_under_way_is_answered_before_the_service_stops(
    fresh_database: str, tmp_path: Path, name: str
) -> None:
    now = time.time()
    batch = [{"name": name, "source": "a", "value": n, "ts": now - n} for n in range(1_000)]
    body = json.dumps(batch).encode()
    with web_server.start(fresh_database, None, tmp_path / "log", workers=1) as alone:
        address = httpx.URL(alone.url)
        client = HTTPConnection(address.host, address.port, timeout=60)
        client.putrequest("POST", "/ingest/metrics")
        client.putheader("Content-Type", "application/json")
        client.putheader("Content-Length", str(len(body)))
        client.putheader("Expect", "100-continue")
        client.endheaders()
        # The service has begun to answer once it asks for the body.
        assert client.sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        os.kill(alone.pid, signal.SIGTERM)
        eventually(lambda: not _listens(address), "the service refuses new connections")
        client.send(body)
        answer = client.getresponse()
        assert json.load(answer)["accepted"] == 1_000
        assert alone.stop() == 0
