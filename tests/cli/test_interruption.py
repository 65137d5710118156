"""Ctrl-C while an import waits for the service."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

from tests.support import command_line


class Slow:
    """A service that takes its time over a batch."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked = Event()
        self.released = Event()


@contextmanager
def _serve() -> Iterator[Slow]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b'{"status":"ok"}'
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            slow.asked.set()
            slow.released.wait(60)
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        slow = Slow(f"http://127.0.0.1:{server.server_port}")
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield slow
        finally:
            slow.released.set()
            server.shutdown()
            thread.join()


def test_an_interrupted_import_ends_with_status_130_and_the_next_step(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("timestamp,value\n2026-01-01T00:00:00Z,1\n")
    with (
        _serve() as service,
        subprocess.Popen(
            [*command_line.COMMAND, "import", str(path), "--source", "me"],
            env={
                **command_line.environment(),
                "SUPERVISOR_URL": service.url,
                "SUPERVISOR_DATA_DIR": str(tmp_path / "data"),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        assert service.asked.wait(60)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "The import was interrupted." in said
    assert "Run the same command again to continue." in said
