"""The log of a process, on standard error: the same form for every library in it.

JSON lines for a collector; readable lines on a terminal, where lines about routine work (requests
that were answered, jobs that ran) are at level debug. `embedded/bridge/log.mjs` writes the same.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import structlog

from supervisor_mcp.config import LogLevel

STDERR = 2
# Libraries whose notes at level info are about every single request or start.
TALKATIVE = ("mcp", "fastmcp", "gunicorn.error", "uvicorn.error", "uvicorn")
# What is wrong with a remote is the outcome of a probe, not an event of this process.
ABOUT_REMOTES = ("mcp.client", "client")
# Libraries that write whole answers or URLs below level warning, secrets among them.
INDISCREET = ("sse_starlette", "httpx", "httpx2")

Fields = dict[str, object]


def set_up(level: LogLevel) -> None:
    """Send what this process logs at `level` or above to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter(readable=sys.stderr.isatty()))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in TALKATIVE:
        logger = logging.getLogger(name)
        logger.handlers = []
        logger.propagate = True
        logger.setLevel("WARNING" if level == "info" else level.upper())
    for name in ABOUT_REMOTES:
        logging.getLogger(name).setLevel("DEBUG" if level == "debug" else "CRITICAL")
    for name in INDISCREET:
        logging.getLogger(name).setLevel("ERROR" if level == "error" else "WARNING")


def access_log(level: LogLevel) -> Callable[[Fields], None] | None:
    """What writes the line of an answered request; None where such lines are not wanted."""
    if os.isatty(STDERR):
        logger = logging.getLogger("supervisor_mcp.access")
        return (lambda fields: logger.debug("answered", extra=fields)) if level == "debug" else None
    return _write_line if level in {"debug", "info"} else None


def _write_line(fields: Fields) -> None:
    # Requests are many: one encoding and one write cost a tenth of a record of `logging`.
    line = {
        "time": _time(datetime.now(UTC)),
        "level": "info",
        "logger": "supervisor_mcp.access",
        "event": "answered",
        **fields,
    }
    os.write(STDERR, msgspec.json.encode(line) + b"\n")


def _formatter(*, readable: bool) -> logging.Formatter:
    added: list[Any] = [
        _add_time,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
    ]
    renderers: list[Any] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.dev.ConsoleRenderer(timestamp_key="time", sort_keys=False),
    ]
    if not readable:
        renderers[1:] = [structlog.processors.format_exc_info, _in_order, _render]
    return structlog.stdlib.ProcessorFormatter(foreign_pre_chain=added, processors=renderers)


def _add_time(_logger: object, _method: str, event: Any) -> Any:
    event["time"] = _time(datetime.fromtimestamp(event["_record"].created, UTC))
    return event


def _in_order(_logger: object, _method: str, event: Any) -> Any:
    first = {name: event.pop(name) for name in ("time", "level", "logger", "event")}
    return {**first, **event}


def _render(_logger: object, _method: str, event: Any) -> str:
    return msgspec.json.encode(event, enc_hook=str).decode()


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"
