"""All commands under one name, and what becomes of a failure."""

from __future__ import annotations

import sys

import typer
from pydantic import ValidationError

from supervisor_mcp.cli import console
from supervisor_mcp.cli.demo import demo
from supervisor_mcp.cli.failure import USAGE, Failure
from supervisor_mcp.cli.import_ import import_files
from supervisor_mcp.cli.query import agg, facts, kinds

app = typer.Typer(
    name="supervisor-mcp",
    help="What is known about an ecosystem of MCP servers: metrics, facts, aggregates.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


# Drivers and servers, which these need alone, would cost every other command half its start.
@app.command()
def up() -> None:
    """Run the service in the foreground: database, cache, schema, web server.

    The embedded TimescaleDB and Valkey are started unless SUPERVISOR_DATABASE_URL and
    SUPERVISOR_REDIS_URL name others. Ctrl-C or SIGTERM stops everything.
    """
    from supervisor_mcp.cli.up import up as run  # noqa: PLC0415

    run()


@app.command()
def deploy() -> None:
    """Bring the database up to date: SUPERVISOR_DATABASE_URL, else the embedded one.

    A second deploy finds nothing to do. `up` deploys by itself.
    """
    from supervisor_mcp.cli.deploy import deploy as run  # noqa: PLC0415

    run()


@app.command()
def mcp() -> None:
    """Speak MCP on standard input and output, until the input ends.

    Works on the database at SUPERVISOR_DATABASE_URL; give SUPERVISOR_REDIS_URL too where the
    service that runs on it has one. With neither, it joins the embedded servers that run on the
    data directory, and starts them where none do.
    """
    from supervisor_mcp.cli.mcp import mcp as run  # noqa: PLC0415

    run()


@app.command()
def generate() -> None:
    """Rewrite sql/schema.sql and docs/sql-api.md from an empty database, in a clone."""
    from supervisor_mcp.cli.deploy import generate as run  # noqa: PLC0415

    run()


app.command("import")(import_files)
app.command()(agg)
app.command()(kinds)
app.command()(facts)
app.command()(demo)


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
