"""Known vulnerabilities of pinned dependencies fail the check, and a missing network does not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import pytest

from tests.support.ports import free_port
from tests.support.repository import ROOT


class Osv(BaseHTTPRequestHandler):
    """Answers as OSV does: what is known of a package, in the order of the queries."""

    known: ClassVar[dict[str, str]] = {}
    asked: ClassVar[list[dict[str, Any]]] = []

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        type(self).asked = json.loads(self.rfile.read(length))["queries"]
        names = [query["package"]["name"] for query in self.asked]
        results = [
            {"vulns": [{"id": self.known[name]}]} if name in self.known else {} for name in names
        ]
        body = json.dumps({"results": results}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def osv() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Osv) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def check(url: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ROOT / ".ci" / "vulnerabilities.py"],
        env={**os.environ, "OSV_URL": url},
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )


def test_a_known_vulnerability_is_named_and_fails_the_check(
    osv: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Osv, "known", {"falcon": "GHSA-xxxx"})
    done = check(osv)
    assert done.returncode == 1
    assert "https://osv.dev/vulnerability/GHSA-xxxx" in done.stdout


def test_every_lock_is_asked_about(osv: str) -> None:
    assert check(osv).returncode == 0
    asked = {(q["package"]["ecosystem"], q["package"]["name"]) for q in Osv.asked}
    assert {("PyPI", "falcon"), ("PyPI", "psycopg"), ("npm", "eslint")} <= asked
    assert all(query["version"] for query in Osv.asked)


def test_without_an_answer_the_check_goes_on_and_says_so() -> None:
    done = check(f"http://127.0.0.1:{free_port()}")
    assert done.returncode == 0
    assert "skipped" in done.stdout
