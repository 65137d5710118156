from __future__ import annotations

import json
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from subprocess import CompletedProcess
from threading import Thread

import httpx
import pytest

from tests.support import command_line, scripted
from tests.support.command_line import Service
from tests.support.data_directories import DataDirectories
from tests.support.ports import free_port

DEMO = ("demo", "--days", "1", "--seed", "9")


@pytest.fixture(scope="module")
def service(
    tmp_path_factory: pytest.TempPathFactory, prepared: DataDirectories
) -> Iterator[Service]:
    """A service of its own: the names of kinds in a demo are those of OpenTelemetry."""
    data_dir = tmp_path_factory.mktemp("demo") / "data"
    prepared.deployed(data_dir)
    with command_line.up(data_dir, env={"SUPERVISOR_WORKERS": "1"}) as started:
        yield started


@pytest.fixture(scope="module")
def demo(service: Service) -> CompletedProcess[str]:
    """The first demo of the service; only that one finds none of its rows."""
    return service.run(*DEMO, "--json")


class Refusing(BaseHTTPRequestHandler):
    """A service that rejects the first row of every batch."""

    def do_GET(self) -> None:
        self._answer({"status": "ok"})

    def do_POST(self) -> None:
        batch = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        receipt = {"accepted": len(batch) - 1, "duplicate": 0, "conflict": 0, "late": 0}
        self._answer({**receipt, "rejected": [{"index": 0, "detail": "Too odd."}]})

    def _answer(self, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def test_a_demo_is_labeled_and_a_second_one_adds_no_row_twice(
    service: Service, demo: CompletedProcess[str]
) -> None:
    assert demo.returncode == 0, demo.stderr
    summary = json.loads(demo.stdout)
    assert summary["accepted"] == summary["rows"] > 2_000
    assert summary["rejected"] == summary["conflict"] == 0
    again = json.loads(service.run(*DEMO, "--json").stdout)
    assert again["conflict"] == again["rejected"] == 0
    # The clock went on between the two.
    assert again["duplicate"] >= summary["rows"] - 40
    answer = httpx.get(
        f"{service.url}/query/agg",
        params={"kind": "mcp.server.operation.duration", "window": "7d", "group_by": "label.demo"},
    ).json()
    assert [group["group"] for group in answer["groups"]] == ["true"]
    assert answer["count"] > 0


@pytest.mark.usefixtures("demo")
def test_a_demo_registers_its_servers_with_health_and_a_second_one_changes_nothing(
    service: Service,
) -> None:
    assert service.run(*DEMO).returncode == 0
    servers = httpx.get(f"{service.url}/registry/servers", params={"tag": "demo"}).json()["items"]
    assert {server["name"]: server["health"] for server in servers} == {
        "demo/billing": "degraded",
        "demo/crm": "up",
        "demo/search": "up",
        "demo/weather": "up",
    }
    entry = httpx.get(f"{service.url}/registry/servers/demo/crm").json()
    assert (entry["source"], len(entry["versions"])) == ("demo/crm", 1)
    (sla,) = httpx.get(f"{service.url}/health/sla", params={"name": "demo/crm"}).json()["items"]
    assert sla["uptime_percent"] == 100


@pytest.mark.usefixtures("demo")
def test_a_built_in_rule_fires_and_resolves_in_a_demo(service: Service) -> None:
    defined = service.run("alert-rules", "define", "--built-in", "--author", "ann")
    tested = service.run("backtest", "error_rate_high", "--json")

    assert "0 skipped, 0 refused" in defined.stdout
    assert tested.returncode == 0, tested.stderr
    states = [
        each["to_state"]
        for each in json.loads(tested.stdout)["transitions"]
        if each["labels"]["source"] == "demo/billing"
    ]
    assert "resolved" in states[states.index("firing") :]


@pytest.mark.usefixtures("demo")
def test_a_demo_ends_with_commands_that_work(service: Service) -> None:
    done = service.run(*DEMO)
    for line in done.stderr.partition("Look around:\n")[2].splitlines():
        arguments = line.split()[1:]
        assert service.run(*arguments).returncode == 0, line


def test_rejected_rows_of_a_demo_are_listed_and_end_it_with_status_1() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}"
        done = command_line.run("demo", "--days", "1", env={"SUPERVISOR_URL": url})
        server.shutdown()
        thread.join()
    assert done.returncode == 1
    assert "demo:1: Too odd." in done.stderr
    assert "rows were rejected; the rest is stored." in done.stderr
    assert "Look around" not in done.stderr


RECEIPT = {"accepted": 10, "duplicate": 2, "conflict": 0, "late": 1, "rejected": []}
DEFINED = {
    **{"outcome": "created", "version": 1, "author": "demo", "changes": []},
    "defined_at": "2026-11-25T10:00:00+00:00",
}
REGISTERED: dict[str, object] = {
    **{"local": False, "outcome": "created", "version": "1.0.0", "previous_version": None},
    "tools": {"added": [], "changed": [], "removed": []},
    "registered_at": "2026-11-25T10:00:00+00:00",
    "updated_at": "2026-11-25T10:00:00+00:00",
}
SERVERS = ("search", "weather", "crm", "billing")


def test_a_demo_sends_a_day_of_rows_then_servers_their_health_and_kpis() -> None:
    names = [f"demo/{name}" for name in SERVERS]
    answers = {
        "GET /livez": {},
        "POST /ingest/metrics": RECEIPT,
        "POST /ingest/facts": RECEIPT,
        "POST /health/reports": RECEIPT,
        "POST /registry/heartbeats": {"renewed": 4, "unknown": []},
        **{f"PUT /registry/servers/{name}": {"name": name, **REGISTERED} for name in names},
        **{
            f"PUT /kpis/{name}": {"name": name, **DEFINED}
            for name in ("demo_error_share", "demo_deal_value")
        },
    }
    with scripted.service(answers) as service:
        done = service.run("demo", "--days", "1")
        asked, sent = service.asked[:], service.sent[:]
        as_json = service.run("demo", "--days", "1", "--json")
    batches = [each for each in asked if each.startswith("POST /ingest")]
    assert asked == [
        "GET /livez",
        *batches,
        *(f"PUT /registry/servers/{name}" for name in names),
        "POST /registry/heartbeats",
        "POST /health/reports",
        "PUT /kpis/demo_error_share",
        "PUT /kpis/demo_deal_value",
    ]
    metrics = [row for batch in sent[: len(batches)] for row in batch if "name" in row]
    facts = [row for batch in sent[: len(batches)] for row in batch if "kind" in row]
    times = [row["ts"] for row in metrics]
    assert 86_400 - 600 <= max(times) - min(times) <= 86_400
    assert abs(time.time() - max(times)) < 3_600
    assert {row["labels"]["seed"] for row in metrics} == {"1"}
    assert all(row["fact_id"].startswith("demo-1-") for row in facts)
    assert sent[len(batches) + 4] == {"names": names}
    count = len(batches)
    numbers = [12 * count, 10 * count, 2 * count, 0, count, 0]
    columns = ["rows", "accepted", "duplicate", "conflict", "late", "rejected"]
    assert done.stdout == "\t".join(columns) + "\n" + "\t".join(map(str, numbers)) + "\n"
    assert done.stderr.endswith(
        "Look around:\n"
        "  supervisor-mcp kinds\n"
        "  supervisor-mcp agg mcp.server.operation.duration --window 7d --group-by source\n"
        "  supervisor-mcp agg Fact:DealClosed --window 30d\n"
        "  supervisor-mcp changes --window 24h\n"
        "  supervisor-mcp kpis\n"
        "  supervisor-mcp facts --kind Fact:InvoicePaid --limit 5\n"
        "  supervisor-mcp series mcp.latency_p50\n"
        "  supervisor-mcp servers --tag demo\n"
        "  supervisor-mcp sla demo/search\n"
        "  supervisor-mcp alert-rules define --built-in\n"
        "  supervisor-mcp backtest error_rate_high\n"
    )
    assert json.loads(as_json.stdout) == {**dict(zip(columns, numbers, strict=True)), "reasons": []}
    assert "Look around" not in as_json.stderr


@pytest.mark.parametrize(("days", "status"), [("0", 2), ("89", 3), ("90", 2)])
def test_a_demo_has_one_to_89_days(days: str, status: int) -> None:
    nobody = {"SUPERVISOR_URL": f"http://127.0.0.1:{free_port()}"}
    assert command_line.run("demo", "--days", days, env=nobody).returncode == status
