"""supervisor-mcp changes: what changed most."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from supervisor_mcp.cli import console
from supervisor_mcp.cli.parameters import Json, Kind
from supervisor_mcp.cli.tables import table

COLUMNS = ("kind", "statistic", "group", "value", "previous", "median", "score", "moved by")
# Those that a narrow terminal has no room for, the least important first.
SPARE = ("moved by", "previous", "median")


def changes(
    kind: Kind = None,
    window: Annotated[str, typer.Option(help="1h, 24h, 7d, 30d, 90d, …")] = "7d",
    limit: Annotated[int, typer.Option(min=1, max=100, help="At most this many.")] = 10,
    as_json: Json = False,
) -> None:
    """Show what changed most, over all kinds and sources.

    The window ends now. The score is the distance from the median of the windows before, in units
    of their usual variation; below 3 is usual.
    """
    import msgspec

    from supervisor_mcp.cli.client import connect

    with connect() as client:
        asked = {"window": window, "kind": kind, "limit": limit}
        answer = client.get("/query/changes", asked)
    if as_json:
        console.echo(answer)
        return
    result = msgspec.json.decode(answer)
    rows = [
        [
            each["kind"],
            each["statistic"],
            _group(each["group"]),
            each["value"],
            each["previous"],
            each["usual"]["median"],
            each["score"],
            _group(each["contributions"][0]["group"]) if each["contributions"] else None,
        ]
        for each in result["items"]
    ]
    title = f"Changes, {window} up to {result['to'][:10]} {result['to'][11:16]} UTC"
    table(title, COLUMNS, rows, whole=("kind",), spare=SPARE, framed=False)
    if not rows:
        console.say("Nothing has changed.")


def _group(group: dict[str, Any]) -> str:
    """`source=web`; `all` for the whole kind."""
    return " ".join(f"{name}={member}" for name, member in group.items()) or "all"
