"""supervisor-mcp demo: a labeled simulated ecosystem, for people who want to look around."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from supervisor_mcp.cli import console
from supervisor_mcp.cli.tables import table

if TYPE_CHECKING:
    from supervisor_mcp.cli.client import Client
    from supervisor_mcp.cli.ingest import Row

LOOK_AROUND = (
    "kinds",
    "agg mcp.server.operation.duration --window 7d --group-by source",
    "agg Fact:DealClosed --window 30d",
    "changes --window 24h",
    "kpis",
    "facts --kind Fact:InvoicePaid --limit 5",
    "series mcp.latency_p50",
    "servers --tag demo",
    "sla demo/search",
    "alert-rules define --built-in",
    "backtest error_rate_high",
)


def demo(
    days: Annotated[int, typer.Option(min=1, max=89, help="Days up to now.")] = 30,
    seed: Annotated[int, typer.Option(help="The same seed gives the same rows.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Fill the service with four simulated MCP servers.

    Sources are named demo/…, every series has the label demo="true" and every payload
    {"demo": true}. Rows that are stored already count as duplicates. The servers are in the
    registry with the tag demo, and their health and SLA begin when they are registered. Two KPIs,
    demo_error_share and demo_deal_value, are defined.
    """
    import msgspec

    from supervisor_mcp.cli import progress, simulation, timestamps
    from supervisor_mcp.cli.client import connect
    from supervisor_mcp.cli.ingest import Tally, ingest

    end = timestamps.now() // 10**6
    begin = end - days * 86_400
    total = simulation.count_metrics(begin, end) + sum(
        1 for _ in simulation.facts(seed, begin, end)
    )
    tally = Tally()
    with connect() as client:
        client.get("/livez")
        with progress.bar("demo", total) as done:
            ingest(client, _rows(seed, begin, end), tally, done)
        if not tally.rejected:
            _register(client)
            _define_kpis(client)
    if as_json:
        console.echo(msgspec.json.encode({**tally.counts(), "reasons": tally.reasons}))
    else:
        table("Demo", list(tally.counts()), [list(tally.counts().values())])
        tally.print_reasons()
    tally.raise_if_rejected()
    if not as_json:
        console.say("Look around:")
        for arguments in LOOK_AROUND:
            console.say(f"  {console.command()} {arguments}")


def _register(client: Client) -> None:
    """Register the servers, and report that they are there."""
    from urllib.parse import quote

    from supervisor_mcp.cli import simulation

    names = []
    for name, document in simulation.registrations():
        client.send_json("PUT", f"/registry/servers/{quote(name, safe='')}", document)
        names.append(name)
    client.send_json("POST", "/registry/heartbeats", {"names": names})
    client.send_json("POST", "/health/reports", simulation.reports())


def _define_kpis(client: Client) -> None:
    """Define those whose kinds have come; a short demo may have no deal."""
    from supervisor_mcp.cli import simulation
    from supervisor_mcp.cli.documents import put

    for name, document in simulation.kpis():
        put(client, f"/kpis/{name}", document)


def _rows(seed: int, begin: int, end: int) -> Iterator[Row]:
    from itertools import chain

    import msgspec

    from supervisor_mcp.cli import simulation
    from supervisor_mcp.cli.ingest import FACTS, METRICS, Row

    items = chain(simulation.metrics(seed, begin, end), simulation.facts(seed, begin, end))
    for number, item in enumerate(items, start=1):
        path = FACTS if "kind" in item else METRICS
        yield Row(f"demo:{number}", path, msgspec.json.encode(item))
