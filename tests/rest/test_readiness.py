"""/readyz and /metrics when the database refuses writes, is held or is gone."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from supervisor_mcp.connections import PROBE_SECONDS
from supervisor_mcp.operations.state import STATE_SECONDS
from tests.rest.conftest import slug_of
from tests.support import timescaledb, web_server
from tests.support.ports import free_port
from tests.support.waiting import eventually

# What writes of the other work may take beside the limit, on a busy machine.
SLACK_SECONDS = 5.0
FULL_DISK = """
create function internal.fill_disk() returns trigger language plpgsql as $$
begin
    raise exception 'could not extend file: No space left on device' using errcode = '53100';
end
$$;
create trigger fill_disk before insert on data.fact
for each row execute function internal.fill_disk()
"""
FACT = {"kind": "Fact:Stored", "source": "a"}


def readiness(http: httpx.Client) -> Any:
    """The answer of /readyz once the database is reached, however busy the machine is."""

    def asked() -> Any:
        answer = http.get("/readyz")
        return answer.json() if answer.status_code == 200 else None

    return eventually(asked, "readiness")


def test_readiness_names_ingest_from_a_full_disk_to_the_next_write(
    fresh_database: str, tmp_path: Path
) -> None:
    with (
        psycopg.connect(fresh_database, autocommit=True, prepare_threshold=None) as conn,
        web_server.start(fresh_database, None, tmp_path / "log", workers=1) as alone,
        httpx.Client(base_url=alone.url, timeout=30) as http,
    ):
        conn.execute(FULL_DISK)
        answer = http.post("/ingest/facts", json=FACT)
        assert (answer.status_code, slug_of(answer)) == (503, "unavailable")
        degraded = {"status": "degraded", "database": "ok", "cache": "off", "ingest": "failing"}
        assert readiness(http) == {**degraded, "reasons": ["ingest: the last write failed"]}
        conn.execute("drop trigger fill_disk on data.fact")
        assert http.post("/ingest/facts", json=FACT).status_code == 200
        ready = {**degraded, "status": "ready", "ingest": "ok", "reasons": []}
        assert readiness(http) == ready


def test_readiness_and_metrics_answer_in_time_while_another_client_holds_the_database(
    fresh_database: str, tmp_path: Path
) -> None:
    with (
        web_server.start(fresh_database, None, tmp_path / "log", workers=1) as alone,
        httpx.Client(base_url=alone.url, timeout=60) as http,
        psycopg.connect(fresh_database, prepare_threshold=None) as holder,
    ):
        holder.execute("lock table data.series")
        started = time.monotonic()
        ready = http.get("/readyz")
        answered = time.monotonic()
        metrics = http.get("/metrics")
        assert answered - started < PROBE_SECONDS + SLACK_SECONDS
        assert time.monotonic() - answered < STATE_SECONDS + SLACK_SECONDS
        # On the embedded server, a transaction holds everything.
        assert ready.status_code == (503 if timescaledb.is_embedded() else 200)
        assert metrics.status_code == 200
        assert "supervisor_database_up 0.0" in metrics.text
        assert 'supervisor_http_requests_total{method="GET",route="/readyz"' in metrics.text
        holder.rollback()
        assert readiness(http)["database"] == "ok"
        assert "supervisor_database_up 1.0" in http.get("/metrics").text


@pytest.mark.server
def test_metrics_are_exposed_without_a_database(tmp_path: Path) -> None:
    nowhere = f"postgresql://postgres@127.0.0.1:{free_port()}/postgres"
    with web_server.start(nowhere, None, tmp_path / "log", workers=1, ready=503) as alone:
        answer = httpx.get(f"{alone.url}/metrics", timeout=30)
    assert answer.status_code == 200
    assert re.search(r"^supervisor_database_up 0", answer.text, re.MULTILINE)
    assert 'route="/readyz",status="503"' in answer.text
