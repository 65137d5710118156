"""Lines of standard input and output, without a process."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from supervisor_mcp.mcp import stdio
from supervisor_mcp.mcp.envelope import NOT_ONE_MESSAGE


class Pipe:
    """What is written to a file descriptor can be read."""

    def __init__(self) -> None:
        self.reading, self.writing = os.pipe()

    def written(self) -> bytes:
        os.close(self.writing)
        with os.fdopen(self.reading, "rb") as file:
            return file.read()


PING = b'{"jsonrpc": "2.0", "id": 1, "method": "ping"}\n'
REFUSED = {"code": -32600, "message": NOT_ONE_MESSAGE}


@pytest.mark.parametrize("line", [PING, b'{"jsonrpc": "2.0", "method": "notifications/a"}\n'])
def test_a_message_is_passed_on(line: bytes) -> None:
    assert stdio._refusal(line) is None


@pytest.mark.parametrize("line", [b"\n", b" \t\r\n"])
def test_a_blank_line_is_passed_over(line: bytes) -> None:
    assert stdio._refusal(line) == b""


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b"[]\n", REFUSED),
        (b'{"id": 1}\n', REFUSED),
        (
            b"{a}\n",
            {"code": -32700, "message": "Parse error: key must be a string at line 1 column 2"},
        ),
    ],
)
def test_a_line_that_is_no_message_gets_one_line_as_its_answer(
    line: bytes, error: dict[str, Any]
) -> None:
    answer = stdio._refusal(line)
    assert answer is not None
    assert answer.endswith(b"}\n")
    assert json.loads(answer) == {"jsonrpc": "2.0", "id": None, "error": error}


def test_messages_are_read_in_pieces_and_others_are_answered() -> None:
    source, target = Pipe(), Pipe()
    os.write(source.writing, b"\n[]\n" + PING + b"\n" + PING)
    os.close(source.writing)
    messages = stdio._Messages(source.reading, stdio._Wire(target.writing))
    assert messages.readable()
    read = []
    while True:
        piece = bytearray(10)
        size = messages.readinto(piece)
        if not size:
            break
        read.append(bytes(piece[:size]))
    assert b"".join(read) == PING * 2
    assert [len(each) for each in read] == [10, 10, 10, 10, 6] * 2
    os.close(source.reading)
    assert json.loads(target.written())["error"] == REFUSED


def test_what_is_written_arrives_whole_with_separators_escaped() -> None:
    pipe = Pipe()
    wire = stdio._Wire(pipe.writing)
    assert wire.writable()
    large = b"x" * 1_000_000 + "\u2028".encode() + b"y"
    with ThreadPoolExecutor() as pool:
        writing = pool.submit(wire.write, large)
        with os.fdopen(pipe.reading, "rb") as file:
            read = file.read(1_000_007)
        assert writing.result() == len(large)
    assert read == b"x" * 1_000_000 + b"\\u2028y"
    os.close(pipe.writing)
