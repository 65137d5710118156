"""All commands under one name, and what becomes of a failure."""

from __future__ import annotations

import sys

import typer
from pydantic import ValidationError

from app.cli import console
from app.cli.demo import demo
from app.cli.deploy import deploy, generate
from app.cli.failure import USAGE, Failure
from app.cli.import_ import import_files
from app.cli.mcp import mcp
from app.cli.query import agg, facts, kinds
from app.cli.up import up

app = typer.Typer(
    name="supervisor-mcp",
    help="What is known about an ecosystem of MCP servers: metrics, facts, aggregates.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(up)
app.command()(mcp)
app.command()(deploy)
app.command("import")(import_files)
app.command()(agg)
app.command()(kinds)
app.command()(facts)
app.command()(demo)
app.command()(generate)


def main() -> None:
    """Run the command line; failures are one sentence on standard error and an exit status."""
    try:
        app(prog_name="supervisor-mcp")
    except Failure as failure:
        _end(failure.message, failure.status)
    except ValidationError as error:
        _end(_setting(error), USAGE)


def _end(message: str, status: int) -> None:
    console.say(message, style="red")
    sys.exit(status)


def _setting(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False)[0]
    name = "_".join(map(str, first["loc"])).upper()
    return f"SUPERVISOR_{name} is {first['input']!r}: {first['msg']}."
