"""What --follow prints, against an HTTP server that answers as scripted."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from supervisor_mcp.cli import streams
from supervisor_mcp.cli.failure import REFUSED, UNREACHABLE, USAGE, Failure

# The pieces of a stream, the status of a refusal, or None to break the connection.
Answer = Sequence[bytes] | int | None
GONE = 404
# Runs the stream until it ends with a failure; what each request said that it had.
Follow = Callable[..., tuple[Failure, list[str | None]]]


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between connections, which are not waited for."""
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        assert len(slept) < 20

    monkeypatch.setattr(time, "sleep", sleep)
    return slept


@pytest.fixture
def follow(monkeypatch: pytest.MonkeyPatch, pauses: list[float]) -> Iterator[Follow]:
    """Follow a stream of a server that gives these answers in order."""
    answers: list[Answer] = []
    asked: list[str] = []
    had: list[str | None] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            had.append(self.headers["Last-Event-ID"])
            answer = answers.pop(0)
            if answer is None:
                self.close_connection = True
                return
            if isinstance(answer, int):
                body = json.dumps({"status": answer, "detail": f"It is {answer}."}).encode()
                self.send_response(answer)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                return
            self.send_response(200)
            self.end_headers()
            for piece in answer:
                self.wfile.write(piece)
                self.wfile.flush()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setenv("SUPERVISOR_URL", f"http://127.0.0.1:{server.server_port}")

        def run(*script: Answer, as_json: bool = False) -> tuple[Failure, list[str | None]]:
            answers[:] = script
            filters = {"kind": "Fact:A", "source": None}
            with pytest.raises(Failure) as ended:
                streams.follow("/facts/stream", filters, row, as_json=as_json)
            assert answers == []
            assert set(asked) == {"/facts/stream?kind=Fact%3AA"}
            return ended.value, had

        try:
            yield run
        finally:
            server.shutdown()
            thread.join()


def row(item: Mapping[str, Any]) -> list[object]:
    return [item["n"], None, item.get("text", "a")]


def event(number: int, **more: object) -> bytes:
    data = json.dumps({"n": number, **more}).encode()
    return b"id: %d\nevent: fact\ndata: %s\n\n" % (number, data)


def test_events_are_lines_also_where_pieces_end_within_them(
    follow: Follow, capsys: pytest.CaptureFixture[str]
) -> None:
    both = event(1) + b"event: alive\n\n" + event(2, text="\x1b[31m")
    follow([both[:9], both[9:60], both[60:], event(3)[:-1]], GONE)
    assert capsys.readouterr() == ("1    a\n2    \\x1b[31m\n", "")


def test_events_are_printed_as_they_came_on_request(
    follow: Follow, capsys: pytest.CaptureFixture[str]
) -> None:
    follow([event(1), event(2)], GONE, as_json=True)
    assert capsys.readouterr().out == '{"n": 1}\n{"n": 2}\n'


def test_it_goes_on_after_the_last_event_that_it_has(
    follow: Follow, pauses: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    ended, had = follow([event(7)], [event(8), b"id: 9\n\n"], None, 503, [event(10)], GONE)
    assert had == [None, "7", "9", "9", "9", "10"]
    assert pauses == [1, 1, 1, 1, 1]
    assert (ended.status, ended.detail) == (REFUSED, "It is 404.")
    assert capsys.readouterr() == ("7    a\n8    a\n10    a\n", "")


@pytest.mark.parametrize(("answer", "status"), [(503, REFUSED), (None, UNREACHABLE)])
def test_a_first_connection_that_fails_is_reported(
    follow: Follow, answer: Answer, status: int
) -> None:
    assert follow(answer)[0].status == status


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_refusal_that_is_not_temporary_ends_it(follow: Follow, status: int) -> None:
    assert follow([event(1)], status)[0].detail == f"It is {status}."


@pytest.mark.parametrize("as_json", [False, True])
def test_what_is_missing_is_said(
    follow: Follow, capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    follow([b'id: 1\nevent: missing\ndata: {"from": "a", "to": "b"}\n\n'], GONE, as_json=as_json)
    assert capsys.readouterr() == ("", "What came from a to b is missing.\n")


def test_an_option_that_a_stream_does_not_have_is_refused() -> None:
    streams.refuse(to=None)
    with pytest.raises(Failure, match="--to cannot be combined with --follow") as refused:
        streams.refuse(**{"from": None, "to": "2026-01-01T00:00:00Z"})
    assert (refused.value.status, refused.value.hint) == (USAGE, "Leave one of them out.")
