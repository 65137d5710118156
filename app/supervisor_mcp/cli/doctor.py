"""supervisor-mcp doctor: what is wrong with database and cache, and what repairs it."""

from __future__ import annotations

import typer

from supervisor_mcp.cli import cache_url, console
from supervisor_mcp.cli.failure import FAILED, UNREACHABLE, Failure, one_line
from supervisor_mcp.cli.parameters import Json
from supervisor_mcp.cli.tables import table

COLUMNS = ("status", "check", "finding", "repair")
STATEMENT = "select api.doctor(now(), %s)::text"
CONNECT_SECONDS = 5


def doctor(as_json: Json = False) -> None:
    """Find what is wrong with the database, and its repair.

    Asks the service; where none answers, the database at SUPERVISOR_DATABASE_URL. The exit status
    is 1 where there is an error.
    """
    import msgspec

    answer = _ask()
    result = msgspec.json.decode(answer)
    if as_json:
        console.echo(answer)
    else:
        versions = result["versions"]
        console.say(
            f"Release {versions['release']} on PostgreSQL {versions['postgresql']} and"
            f" TimescaleDB {versions['timescaledb']}."
        )
        rows = [
            [found[name] for name in ("status", "name", "detail", "repair")]
            for found in result["findings"]
        ]
        table("Findings", COLUMNS, rows, framed=False)
        if not rows:
            console.say(f"Nothing is wrong with {', '.join(result['checked'])}.")
    if result["status"] == "error":
        raise typer.Exit(FAILED)


def _ask() -> bytes:
    from supervisor_mcp.cli.client import connect, load_settings

    settings = load_settings()
    try:
        with connect(settings) as client:
            return client.get("/admin/doctor")
    except Failure as failure:
        if failure.status != UNREACHABLE or settings.database_url is None:
            raise
        console.say(f"{failure.detail} Asking the database.")
    return _ask_database(settings.database_url, cache_url.fault(settings.redis_url))


def _ask_database(url: str, cache: str | None) -> bytes:
    import psycopg

    from supervisor_mcp.cli.servers import without_password

    without_password(url)
    try:
        with psycopg.connect(
            url, prepare_threshold=None, connect_timeout=CONNECT_SECONDS
        ) as connection:
            connection.execute("set local role supervisor_app")
            row = connection.execute(STATEMENT, [cache]).fetchone()
    except psycopg.OperationalError as error:
        raise Failure(
            f"The database does not answer: {one_line(error).rstrip('.?')}.",
            UNREACHABLE,
            hint="Check SUPERVISOR_DATABASE_URL, and that the server runs.",
        ) from error
    except psycopg.Error as error:
        raise Failure(
            f"The database has no schema of this release: {str(error).splitlines()[0]}.",
            FAILED,
            hint="Run `supervisor-mcp deploy`.",
        ) from error
    assert row is not None  # noqa: S101
    answer: str = row[0]
    return answer.encode()
