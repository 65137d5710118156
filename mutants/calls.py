"""Which functions of the service each test calls, in whatever process.

A copy of this file is `sitecustomize.py` beside the package, so that each Python process which the
tests start from there imports it. It is also the plugin of pytest that numbers the tests.
"""

from __future__ import annotations

import mmap
import os
import sys
import threading
from pathlib import Path
from types import CodeType, FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

PACKAGE = "supervisor_mcp"
# Where the number of the present test is, and what is noted: a line for each function and test.
NUMBER_FILE = "calls.number"
LOG_FILE = "calls.log"
NUMBER_BYTES = 4
# Of pytest, where the plugin is imported before pytest is.
OPTIONS = ("-p", "sitecustomize", "-W", "ignore::pytest.PytestAssertRewriteWarning")


def install(folder: Path) -> None:
    """Note the calls of processes that import the package from a folder."""
    (folder / "sitecustomize.py").write_text(Path(__file__).read_text())
    (folder / NUMBER_FILE).write_bytes(bytes(NUMBER_BYTES))
    (folder / LOG_FILE).touch()


class Calls:
    """The calls in this process; each function is noted once for each test."""

    def __init__(self, folder: Path) -> None:
        self._package = f"{folder / PACKAGE}{os.sep}"
        self._log = os.open(folder / LOG_FILE, os.O_WRONLY | os.O_APPEND)
        with (folder / NUMBER_FILE).open("r+b") as file:
            self._number = mmap.mmap(file.fileno(), NUMBER_BYTES)
        # By identity, as code is slow to hash; what is kept here is never freed, nor taken for
        # other code.
        self._kept: dict[int, CodeType] = {}
        self._noted: dict[int, bytes] = {}

    def number(self, number: int) -> None:
        """Begin the test of this number."""
        self._number[:] = number.to_bytes(NUMBER_BYTES)

    def say(self, line: str) -> None:
        """Add a line to the log at once."""
        os.write(self._log, f"{line}\n".encode())

    def trace(self, frame: FrameType, _event: str, _argument: object) -> None:
        """Note a call; the lines of the function are not traced."""
        code = frame.f_code
        key = id(code)
        noted = self._noted.get(key)
        if noted == b"":
            return
        number = self._number[:]
        if noted == number:
            return
        if noted is None:
            self._kept[key] = code
            if not code.co_filename.startswith(self._package):
                self._noted[key] = b""
                return
        self._noted[key] = number
        path = code.co_filename[len(self._package) :]
        self.say(f"call {int.from_bytes(number)} {path} {code.co_qualname}")


class Numbering:
    """The plugin: it numbers the tests, and notes how each ended."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._number = 0

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Begin a test."""
        self._number += 1
        self._calls.number(self._number)
        self._calls.say(f"test {self._number} {nodeid}")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note how long a test took, or that it did not pass."""
        if report.when == "call" or not report.passed:
            took = f"{report.duration:.3f}" if report.passed else "failed"
            self._calls.say(f"took {self._number} {took}")


def pytest_configure(config: pytest.Config) -> None:
    """Be the plugin of the process that runs the tests."""
    config.pluginmanager.register(Numbering(recording))


if __name__ == "sitecustomize":
    recording = Calls(Path(__file__).parent)
    threading.settrace(recording.trace)
    sys.settrace(recording.trace)
