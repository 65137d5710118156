from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from subprocess import CompletedProcess
from threading import Thread

import httpx
import pytest

from tests.support import command_line
from tests.support.command_line import Service
from tests.support.data_directories import DataDirectories

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
    assert "rows were rejected; the others are stored." in done.stderr
    assert "Look around" not in done.stderr
