"""All commands under one name, and how an error ends them.

What a command needs beyond its declaration is imported when it runs: `--help` and the completion
of the shell, which load every declaration, stay fast.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Annotated

import typer
from typer.exceptions import TyperException
from typer.main import get_command

from supervisor_mcp.cli import console
from supervisor_mcp.cli.agg import agg
from supervisor_mcp.cli.alert_rules import alert_rules
from supervisor_mcp.cli.alerts import alerts
from supervisor_mcp.cli.audit import audit
from supervisor_mcp.cli.backtest import backtest
from supervisor_mcp.cli.changes import changes
from supervisor_mcp.cli.demo import demo
from supervisor_mcp.cli.deregister import deregister
from supervisor_mcp.cli.doctor import doctor
from supervisor_mcp.cli.escape import printable_json
from supervisor_mcp.cli.exports import export
from supervisor_mcp.cli.facts import facts
from supervisor_mcp.cli.failure import FAILED, USAGE, Failure
from supervisor_mcp.cli.health import health
from supervisor_mcp.cli.heartbeat import heartbeat
from supervisor_mcp.cli.import_ import import_files
from supervisor_mcp.cli.keys import keys
from supervisor_mcp.cli.kinds import kinds
from supervisor_mcp.cli.kpis import kpis
from supervisor_mcp.cli.maintenance import maintenance
from supervisor_mcp.cli.pins import pins
from supervisor_mcp.cli.policies import policies
from supervisor_mcp.cli.register import register
from supervisor_mcp.cli.registry import servers
from supervisor_mcp.cli.report import report
from supervisor_mcp.cli.restatements import restatements
from supervisor_mcp.cli.series import series
from supervisor_mcp.cli.server import server
from supervisor_mcp.cli.sla import sla
from supervisor_mcp.cli.snapshots import snapshots
from supervisor_mcp.cli.sql import sql
from supervisor_mcp.cli.subscriptions import subscriptions

EPILOG = """\
Commands that print an answer print it as JSON with --json, and their errors as one JSON object on
standard error.

Exit status: 0 success, 1 failed or rows rejected, 2 wrong arguments or settings, 3 no service
answers, 4 the service refused.
"""

# What the library that reads arguments says, and what is said instead.
REWORDED = [
    (re.compile(pattern), wording)
    for pattern, wording in (
        (r"Value error, ", ""),
        (r"Input should be a valid integer.*", "Send a whole number."),
        (r"Input should be a valid number.*", "Send a number."),
        (r"Input should be greater than or equal to (\S+)", r"Send \1 or more."),
        (r"Input should be less than or equal to (\S+)", r"Send \1 or less."),
    )
]

app = typer.Typer(
    name="supervisor-mcp",
    help="Metrics, facts and aggregates of an ecosystem of MCP servers.",
    epilog=EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        console.write(f"supervisor-mcp {version('supervisor-mcp')}\n")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    pass


@app.command()
def up(
    no_deploy: Annotated[
        bool,
        typer.Option("--no-deploy", help="Start on the schema that `deploy` has deployed."),
    ] = False,
) -> None:
    """Run the service and what it needs in the foreground.

    Starts the embedded TimescaleDB and Valkey, unless SUPERVISOR_DATABASE_URL and
    SUPERVISOR_REDIS_URL name others, deploys the schema, and starts the web server. Ctrl-C or
    SIGTERM stops everything.
    """
    from supervisor_mcp.cli.up import up as run

    run(deploys=not no_deploy)


@app.command()
def deploy(
    allow_older: Annotated[
        bool,
        typer.Option("--allow-older", help="Go back to this release from a newer one."),
    ] = False,
) -> None:
    """Deploy the schema to the database.

    The database is SUPERVISOR_DATABASE_URL, else the embedded one, where a service may run. With
    SUPERVISOR_DEPLOY_DATABASE_URL, the deploy has a login of its own, and that of the service may
    work as supervisor_app afterwards. A second deploy changes nothing. `up` deploys too.
    """
    from supervisor_mcp.cli.deploy import deploy as run

    run(allow_older=allow_older)


@app.command()
def mcp() -> None:
    """Serve MCP on standard input and output.

    Works on the database at SUPERVISOR_DATABASE_URL; set SUPERVISOR_REDIS_URL too if the service
    on that database uses one. With neither, joins the embedded servers that run on the data
    directory, or starts them. Ends with its input.
    """
    from supervisor_mcp.cli.mcp import mcp as run

    run()


@app.command()
def generate() -> None:
    """Rewrite the files that are generated from SQL, in a clone.

    Deploys to an empty embedded database and describes it.
    """
    from supervisor_mcp.cli.deploy import generate as run

    run()


app.command("import")(import_files)
app.command()(export)
app.command()(agg)
app.command()(series)
app.command()(kinds)
app.command()(sql)
app.command()(facts)
app.command()(changes)
app.add_typer(kpis)
app.command()(servers)
app.command()(server)
app.command()(register)
app.command()(deregister)
app.command()(heartbeat)
app.command()(report)
app.command()(health)
app.add_typer(maintenance, name="maintenance")
app.command()(sla)
app.add_typer(alert_rules)
app.add_typer(alerts)
app.command()(backtest)
app.add_typer(subscriptions)
app.add_typer(keys)
app.command()(audit)
app.add_typer(policies)
app.add_typer(pins)
app.command()(doctor)
app.command()(restatements)
app.add_typer(snapshots)
app.command()(demo)


@cache
def command() -> Callable[..., int]:
    """The commands with their options; to build them takes longer than most of them run."""
    return get_command(app)


def main() -> None:
    """Run the command line. An error is one message on standard error and an exit status."""
    # A terminal that cannot show a character gets its number.
    if sys.stdout is not None:
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        status = command()(prog_name="supervisor-mcp", standalone_mode=False)
    except Failure as failure:
        status = _report(failure)
    except TyperException as error:
        status = _report_usage(error)
    except OSError as error:
        console.discard_output()
        named = f"{error.filename}: " if error.filename else ""
        status = _report(Failure(f"{named}{error.strerror or error}.", FAILED))
    sys.exit(status)


def _report(failure: Failure) -> int:
    if _wants_json():
        _write_error(failure)
    else:
        console.say(failure.detail, style="red")
        if failure.hint:
            console.say(f"Hint: {failure.hint}")
    return failure.status


def _report_usage(error: TyperException) -> int:
    for pattern, wording in REWORDED:
        error.message = pattern.sub(wording, error.message)
    if not _wants_json():
        # Typer raises subclasses that are private but have this method.
        error.show()  # type: ignore[attr-defined]
        return error.exit_code
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "supervisor-mcp"
    hint = f"Run `{path} --help` for the arguments."
    return _report(Failure(error.format_message(), USAGE, hint=hint))


def _wants_json() -> bool:
    """Whether `--json` is among the options; also when they cannot be parsed."""
    options = sys.argv[1:]
    return "--json" in (options[: options.index("--")] if "--" in options else options)


def _write_error(failure: Failure) -> None:
    import msgspec

    # Without a standard error, a report is not possible.
    with suppress(OSError, AttributeError):
        sys.stderr.write(printable_json(msgspec.json.encode(failure.as_json()).decode()) + "\n")
        sys.stderr.flush()
