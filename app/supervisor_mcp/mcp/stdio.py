"""MCP on standard input and output."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fastmcp import FastMCP

from supervisor_mcp.mcp.separators import escape_separators

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

STDOUT = 1
STDERR = 2


async def serve(server: FastMCP) -> None:
    """Answer requests from standard input until it ends."""
    with _protocol_output():
        await server.run_stdio_async(show_banner=False)


@contextmanager
def _protocol_output() -> Iterator[None]:
    """Keep standard output for the protocol, without raw line separators of Unicode.

    The library writes to the buffer of `sys.stdout`. Everything else that is printed meanwhile
    goes to standard error.
    """
    wire = os.dup(STDOUT)
    os.dup2(STDERR, STDOUT)
    printed = sys.stdout
    sys.stdout = io.TextIOWrapper(_Wire(wire), encoding="utf-8", write_through=True)
    try:
        yield
    finally:
        sys.stdout = printed
        os.dup2(wire, STDOUT)
        os.close(wire)


class _Wire(io.RawIOBase):
    """Writes to a file descriptor, with separators escaped; it has no descriptor of its own."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def writable(self) -> bool:
        return True

    def write(self, data: ReadableBuffer) -> int:
        given = bytes(data)
        left = memoryview(escape_separators(given))
        while left:
            left = left[os.write(self._descriptor, left) :]
        return len(given)
