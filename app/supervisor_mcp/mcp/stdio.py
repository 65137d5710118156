"""MCP on standard input and output."""

from __future__ import annotations

import io
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec
from fastmcp import FastMCP
from mcp_types import INVALID_REQUEST, PARSE_ERROR, jsonrpc_message_adapter
from pydantic import ValidationError

from supervisor_mcp.mcp.envelope import NOT_ONE_MESSAGE
from supervisor_mcp.mcp.separators import escape_separators

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

STDIN = 0
STDOUT = 1
STDERR = 2


async def serve(server: FastMCP) -> None:
    """Answer requests from standard input until it ends."""
    with _protocol_output() as output, _protocol_input(output):
        await server.run_stdio_async(show_banner=False)


@contextmanager
def _protocol_input(output: _Wire) -> Iterator[None]:
    """Keep standard input for the protocol, and answer lines that are no message.

    The library reads from the buffer of `sys.stdin`. Everything else that reads meanwhile finds
    the end of the input.
    """
    wire = os.dup(STDIN)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, STDIN)
    os.close(null)
    typed = sys.stdin
    sys.stdin = io.TextIOWrapper(io.BufferedReader(_Messages(wire, output)), encoding="utf-8")
    try:
        yield
    finally:
        sys.stdin = typed
        # It stays open: a thread may still wait for its next line.
        os.dup2(wire, STDIN)


@contextmanager
def _protocol_output() -> Iterator[_Wire]:
    """Keep standard output for the protocol, without raw line separators of Unicode.

    The library writes to the buffer of `sys.stdout`. Everything else that is printed meanwhile
    goes to standard error.
    """
    wire = os.dup(STDOUT)
    os.dup2(STDERR, STDOUT)
    printed = sys.stdout
    output = _Wire(wire)
    sys.stdout = io.TextIOWrapper(output, encoding="utf-8", write_through=True)
    try:
        yield output
    finally:
        sys.stdout = printed
        os.dup2(wire, STDOUT)
        os.close(wire)


class _Wire(io.RawIOBase):
    """Writes to a file descriptor, with separators escaped; it has no descriptor of its own."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._writing = threading.Lock()

    def writable(self) -> bool:
        return True

    def write(self, data: ReadableBuffer) -> int:
        given = bytes(data)
        left = memoryview(escape_separators(given))
        with self._writing:
            while left:
                left = left[os.write(self._descriptor, left) :]
        return len(given)


class _Messages(io.RawIOBase):
    """Reads lines from a file descriptor. The library would drop those that are no message."""

    def __init__(self, descriptor: int, output: _Wire) -> None:
        self._lines = os.fdopen(descriptor, "rb", closefd=False)
        self._output = output
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        while not self._left:
            line = self._lines.readline()
            if not line:
                return 0
            refusal = _refusal(line)
            if refusal is None:
                self._left = memoryview(line)
            else:
                self._output.write(refusal)
        wanted = memoryview(buffer).cast("B")
        size = min(len(wanted), len(self._left))
        wanted[:size] = self._left[:size]
        self._left = self._left[size:]
        return size


def _refusal(line: bytes) -> bytes | None:
    """The answer to a line that is no message, without an end for a blank one; else None."""
    if not line.strip():
        return b""
    try:
        jsonrpc_message_adapter.validate_json(line, by_name=False)
    except ValidationError as invalid:
        first = invalid.errors(include_url=False, include_input=False)[0]
        error = {"code": INVALID_REQUEST, "message": NOT_ONE_MESSAGE}
        if first["type"] == "json_invalid":
            error = {"code": PARSE_ERROR, "message": f"Parse error: {first['ctx']['error']}"}
        return msgspec.json.encode({"jsonrpc": "2.0", "id": None, "error": error}) + b"\n"
    return None
