"""Batches that the service cannot take at once, against an HTTP server that answers as scripted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from supervisor_mcp.cli import ingest as module
from supervisor_mcp.cli.client import Client
from supervisor_mcp.cli.failure import REFUSED, UNREACHABLE, Failure
from supervisor_mcp.cli.ingest import METRICS, Row, Tally, ingest

RECEIPT = b'{"accepted":1,"duplicate":0,"conflict":0,"late":0,"rejected":[]}'
BUSY = b'{"detail":"The service is busy.","hint":"Send it again."}'
ROW = Row("x:1", METRICS, b"{}")
# A status with Retry-After, or 0 to break the connection without an answer.
Answer = tuple[int, str | None]


class Scripted:
    """A server that gives its answers in order, then 200; it remembers keys and times."""

    def __init__(self, answers: list[Answer]) -> None:
        self.answers = answers
        self.keys: list[str] = []
        self.times: list[float] = []


@contextmanager
def _serve(answers: list[Answer]) -> Iterator[tuple[Client, Scripted]]:
    script = Scripted(list(answers))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            script.keys.append(self.headers["Idempotency-Key"])
            script.times.append(time.monotonic())
            status, retry_after = script.answers.pop(0) if script.answers else (200, None)
            if status == 0:
                self.close_connection = True
                return
            body = RECEIPT if status == 200 else BUSY
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            if retry_after is not None:
                self.send_header("Retry-After", retry_after)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            with Client(f"http://127.0.0.1:{server.server_port}") as client:
                yield client, script
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("status", [503, 504])
def test_a_busy_service_gets_the_batch_again_with_the_same_key(status: int) -> None:
    with _serve([(status, None), (status, None)]) as (client, script):
        tally = Tally()
        ingest(client, [ROW], tally)
        assert tally.accepted == 1
        assert len(script.keys) == 3
        assert len(set(script.keys)) == 1


def test_retry_after_is_the_pause() -> None:
    with _serve([(503, "1.5")]) as (client, script):
        ingest(client, [ROW], Tally())
        first, second = script.times
        assert 1.5 <= second - first < 3


def test_a_pause_beyond_the_patience_is_not_waited_for() -> None:
    with _serve([(503, "3600")]) as (client, script):
        with pytest.raises(Failure) as failed:
            ingest(client, [ROW], Tally())
        assert failed.value.status == REFUSED
        assert failed.value.detail == "The service is busy."
        assert len(script.keys) == 1


def test_the_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.5)
    with (
        _serve([(503, None)] * 100) as (client, _),
        pytest.raises(Failure, match="The service is busy"),
    ):
        ingest(client, [ROW], Tally())


def test_a_connection_that_breaks_is_retried_after_the_first_batch() -> None:
    rows = [ROW] * (module.BATCH_ROWS + 1)
    with _serve([(200, None), (0, None)]) as (client, script):
        tally = Tally()
        ingest(client, rows, tally)
        assert tally.accepted == 2
        assert [key.rpartition("-")[2] for key in script.keys] == ["0", "1", "1"]


def test_without_a_first_answer_there_is_no_service_to_wait_for() -> None:
    with _serve([(0, None)]) as (client, script):
        with pytest.raises(Failure) as failed:
            ingest(client, [ROW], Tally())
        assert failed.value.status == UNREACHABLE
        assert len(script.keys) == 1


def test_retries_are_not_logged(capfd: pytest.CaptureFixture[str]) -> None:
    with _serve([(503, None)]) as (client, _):
        ingest(client, [ROW], Tally())
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("retry_after", [None, "soon", "0"])
def test_without_a_number_of_seconds_the_pause_is_short(
    monkeypatch: pytest.MonkeyPatch, retry_after: str | None
) -> None:
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.99)
    with _serve([(503, retry_after)]) as (client, script):
        ingest(client, [ROW], Tally())
        assert len(script.keys) == 2


def test_a_later_failure_says_how_many_rows_were_answered_before() -> None:
    sent: list[int] = []
    with _serve([(200, None), (403, None)]) as (client, _):
        tally = Tally()
        with pytest.raises(Failure) as failed:
            ingest(client, [ROW] * 1_001, tally, sent.append)
    assert failed.value.detail == "The service is busy. Answered before: 1 row."
    assert failed.value.hint == "Run the same command again to continue."
    assert failed.value.status == REFUSED
    assert failed.value.problem is not None
    assert sent == [1_000]


def test_a_first_failure_is_reported_as_it_is() -> None:
    with _serve([(403, None)]) as (client, _), pytest.raises(Failure) as failed:
        ingest(client, [ROW], Tally())
    assert (failed.value.detail, failed.value.hint) == ("The service is busy.", "Send it again.")


def test_a_row_that_cannot_be_parsed_is_found_by_halves() -> None:
    rows = [Row(f"x:{number}", METRICS, b"{}") for number in range(3)]
    with _serve([(422, None), (200, None), (413, None), (400, None)]) as (client, script):
        tally = Tally()
        ingest(client, rows, tally)
    assert [key.rpartition("-")[2] for key in script.keys] == ["0", "0a", "0b", "0ba", "0bb"]
    assert (tally.accepted, tally.rejected) == (2, 1)
    assert tally.reasons == [module.Reason("x:1", "The service is busy.")]
