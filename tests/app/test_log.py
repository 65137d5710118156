"""The log of a process: JSON lines for a collector, readable lines on a terminal."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from datetime import datetime

PROGRAM = """
import logging
from supervisor_mcp.telemetry import log
log.set_up({level!r})
logging.getLogger("supervisor_mcp.db").warning("slow: %s", "7 s", extra={{"request_id": "r1"}})
logging.getLogger("mcp.server").info("GET /")
logging.getLogger("sse_starlette.sse").debug("chunk: the secret of a subscription")
logging.getLogger("httpx").info("POST https://hooks.example/secret")
logging.getLogger("supervisor_mcp.cli.up").info("starting")
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger("gunicorn.error").exception("broken")
write = log.access_log({level!r})
if write is not None:
    write({{"method": "GET", "path": "/livez", "status": 200}})
"""


def to_file(level: str) -> list[dict[str, object]]:
    """The lines that the program logs where standard error is no terminal."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(level=level)],
        capture_output=True,
        check=True,
        text=True,
    )
    return [json.loads(line) for line in done.stderr.splitlines()]


def to_terminal(level: str) -> str:
    """What the program logs on a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(level=level)], stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 65536):
            shown += part
    except OSError:
        # The other end is closed.
        pass
    finally:
        os.close(ours)
    assert process.wait(10) == 0
    return shown.decode()


def test_every_line_of_a_file_is_json_of_one_form() -> None:
    lines = to_file("info")
    assert [line["event"] for line in lines] == ["slow: 7 s", "starting", "broken", "answered"]
    for line in lines:
        assert list(line)[:4] == ["time", "level", "logger", "event"]
        time = str(line["time"])
        assert time.endswith("Z")
        assert len(time) == len("2026-01-01T00:00:00.000Z")
        assert datetime.fromisoformat(time)


def test_fields_and_exceptions_are_members_of_the_line() -> None:
    slow, _, broken, answered = to_file("info")
    assert (slow["level"], slow["logger"]) == ("warning", "supervisor_mcp.db")
    assert slow["request_id"] == "r1"
    assert "ZeroDivisionError" in str(broken["exception"])
    assert (answered["path"], answered["status"]) == ("/livez", 200)


def test_a_higher_level_leaves_the_routine_out() -> None:
    assert [line["event"] for line in to_file("warning")] == ["slow: 7 s", "broken"]


def test_the_level_debug_shows_libraries_too() -> None:
    assert "GET /" in [line["event"] for line in to_file("debug")]


def test_no_level_shows_answers_and_urls() -> None:
    assert not any("secret" in str(line["event"]) for line in to_file("debug"))


def test_a_terminal_shows_readable_lines_without_requests() -> None:
    shown = to_terminal("info")
    assert "slow: 7 s" in shown
    assert "ZeroDivisionError" in shown
    assert '{"time"' not in shown
    assert "answered" not in shown


def test_a_terminal_shows_requests_at_level_debug() -> None:
    assert "answered" in to_terminal("debug")
