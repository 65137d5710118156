"""Streams of the service on the command line."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from supervisor_mcp.cli import console
from supervisor_mcp.cli.failure import UNREACHABLE, USAGE, Failure
from supervisor_mcp.cli.tables import plain

if TYPE_CHECKING:
    from supervisor_mcp.cli.client import Client

# The service sends something every 10 s.
SILENT_SECONDS = 30.0
PAUSE_SECONDS = 1.0
UNAVAILABLE = 503

Follow = Annotated[
    bool, typer.Option("--follow", "-f", help="Print what comes, one a line, until Ctrl-C.")
]
Row = Callable[[Mapping[str, Any]], Sequence[object]]


def refuse(**options: object) -> None:
    """Raise Failure for an option that a stream does not have."""
    for name, value in options.items():
        if value is not None:
            raise Failure(
                f"--{name} cannot be combined with --follow.", USAGE, hint="Leave one of them out."
            )


def follow(path: str, filters: Mapping[str, str | None], row: Row, *, as_json: bool) -> None:
    """Print the events of a stream, each on a line, until the command is interrupted."""
    import msgspec

    for name, data in _events(path, filters):
        if name == "missing":
            missing = msgspec.json.decode(data)
            console.say(f"What came from {missing['from']} to {missing['to']} is missing.")
        elif as_json:
            console.echo(data)
        else:
            console.write("  ".join(map(plain, row(msgspec.json.decode(data)))) + "\n")


def _events(path: str, filters: Mapping[str, str | None]) -> Iterator[tuple[str, bytes]]:
    """Names and data of events; connects again after an end of the connection.

    Raises Failure when the first connection fails, or when the service refuses one.
    """
    from supervisor_mcp.cli.client import connect

    last_event_id: str | None = None
    with connect(timeout_seconds=SILENT_SECONDS) as client:
        while True:
            try:
                for fields in _connection(client, path, filters, last_event_id):
                    if b"id" in fields:
                        last_event_id = fields[b"id"].decode()
                    if b"data" in fields:
                        yield fields[b"event"].decode(), fields[b"data"]
            except Failure as failure:
                lost = failure.status == UNREACHABLE or _is_temporary(failure)
                if last_event_id is None or not lost:
                    raise
            time.sleep(PAUSE_SECONDS)


def _connection(
    client: Client, path: str, filters: Mapping[str, str | None], last_event_id: str | None
) -> Iterator[dict[bytes, bytes]]:
    """The fields of every event of one connection."""
    headers = {} if last_event_id is None else {"Last-Event-ID": last_event_id}
    unread = b""
    for part in client.stream(path, filters, headers):
        *blocks, unread = (unread + part).split(b"\n\n")
        for block in blocks:
            yield dict(line.split(b": ", 1) for line in block.split(b"\n"))


def _is_temporary(failure: Failure) -> bool:
    return failure.problem is not None and failure.problem.get("status") == UNAVAILABLE
