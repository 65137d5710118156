"""supervisor-mcp demo: a labelled simulated ecosystem, for people who want to look around."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from itertools import chain
from typing import Annotated

import msgspec
import typer

from supervisor_mcp import config
from supervisor_mcp.cli import console, simulation, timestamps
from supervisor_mcp.cli.client import connect
from supervisor_mcp.cli.ingest import FACTS, METRICS, Row, Tally, ingest

LOOK_AROUND = (
    "kinds",
    "agg mcp.duration --window 7d --group-by source",
    "agg Fact:DealClosed --window 30d",
    "facts --kind Fact:InvoicePaid --limit 5",
)


def demo(
    days: Annotated[int, typer.Option(min=1, max=89, help="Days up to now.")] = 30,
    seed: Annotated[int, typer.Option(help="The same seed gives the same rows.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Fill the running service with four simulated MCP servers over the last days.

    Sources are named demo/…, every series carries the label demo="true" and every payload
    {"demo": true}. Rows that are there already count as duplicates.
    """
    end = timestamps.now() // 10**6
    begin = end - days * 86_400
    total = simulation.count_metrics(begin, end) + sum(
        1 for _ in simulation.facts(seed, begin, end)
    )
    tally = Tally()
    with connect(config.load()) as client:
        client.get("/livez")
        with console.bar("demo", total) as done:
            ingest(client, _rows(seed, begin, end), tally, done)
    summary = {name: n for name, n in asdict(tally).items() if name != "reasons"}
    if as_json:
        console.echo(msgspec.json.encode({"rows": tally.rows, **summary}))
        return
    console.table("Demo", ["rows", *summary], [[tally.rows, *summary.values()]])
    console.say("Look around:")
    for arguments in LOOK_AROUND:
        console.say(f"  {console.command()} {arguments}")


def _rows(seed: int, begin: int, end: int) -> Iterator[Row]:
    items = chain(simulation.metrics(seed, begin, end), simulation.facts(seed, begin, end))
    for number, item in enumerate(items, start=1):
        path = FACTS if "kind" in item else METRICS
        yield Row(f"demo:{number}", path, msgspec.json.encode(item))
