"""supervisor-mcp export and import of a folder: everything, from one server to another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from supervisor_mcp.cli import console
from supervisor_mcp.cli.failure import INTERRUPTED, Failure, one_line
from supervisor_mcp.cli.quantities import counted

if TYPE_CHECKING:
    from supervisor_mcp.exports import Manifest


def export(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder to create, or an empty one.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Write everything in the database into a folder.

    The service may run meanwhile. The database is SUPERVISOR_DATABASE_URL, with the login of
    SUPERVISOR_DEPLOY_DATABASE_URL where that is set too, else the embedded one. `import DIR` reads
    the folder into another database. The folder has secrets of subscriptions in it.
    """
    from supervisor_mcp import exports
    from supervisor_mcp.cli import progress
    from supervisor_mcp.cli.client import load_settings
    from supervisor_mcp.cli.database import reach
    from supervisor_mcp.embedded import database

    settings = load_settings()
    if settings.database_url is None and not database.is_made(settings.data_dir):
        raise Failure(
            f"There is no database in {settings.data_dir}.",
            hint="Set SUPERVISOR_DATA_DIR to the data directory of a service, or"
            " SUPERVISOR_DATABASE_URL to the DSN of its database.",
        )
    with (
        progress.step("exporting") as next_step,
        reach(settings, next_step) as database_url,
        _explained("export"),
    ):
        url = settings.deploy_database_url or database_url
        made = exports.export(url, folder, next_step)
    _report("exported", made, folder, as_json)


def import_folder(folder: Path, as_json: bool) -> None:
    """Import everything that `export` has written into a database without data. Raises Failure."""
    from supervisor_mcp import exports
    from supervisor_mcp.cli import progress, servers
    from supervisor_mcp.cli.client import load_settings
    from supervisor_mcp.deploy import Older

    settings = load_settings()
    with (
        _explained("import"),
        progress.step("reading the manifest") as next_step,
    ):
        exports.read(folder)
        with servers.start_database(settings, next_step, jobs=False) as (database_url, _):
            url = settings.deploy_database_url or database_url
            if not exports.is_deployed(url):
                next_step("deploying")
                servers.deploy_schema(
                    database_url, Older.REFUSE, deploy_url=settings.deploy_database_url
                )
            made = exports.load(url, folder, next_step)
    if made is not None:
        _report("imported", made, folder, as_json)
        return
    console.say(f"{folder} was imported before; nothing to do.")
    if as_json:
        _report("imported", exports.read(folder), folder, as_json)


@contextmanager
def _explained(command: str) -> Iterator[None]:
    """Turn what ends an export or import into what a user can do about it."""
    import psycopg

    from supervisor_mcp.exports import ExportError

    try:
        yield
    except ExportError as error:
        raise Failure(str(error), hint=error.hint) from error
    except KeyboardInterrupt:
        raise Failure(
            f"The {command} was interrupted.",
            INTERRUPTED,
            hint="Run the same command again: an import goes on, an export begins again.",
        ) from None
    except psycopg.errors.InsufficientPrivilege as error:
        raise Failure(
            f"The login may not {command} everything ({one_line(error)}).",
            hint="Set SUPERVISOR_DEPLOY_DATABASE_URL to the DSN of the owner of the schema.",
        ) from error
    except psycopg.Error as error:
        raise Failure(
            f"The {command} failed ({one_line(error)}).",
            hint="Run the same command again: an import goes on, an export begins again.",
        ) from error


def _report(done: str, made: Manifest, folder: Path, as_json: bool) -> None:
    import msgspec

    if as_json:
        summary = {
            "export_id": made.export_id,
            "rows": made.rows,
            "relations": {relation.name: relation.rows for relation in made.relations},
        }
        console.echo(msgspec.json.encode(summary))
        return
    filled = sum(relation.rows > 0 for relation in made.relations)
    rows = f"{counted(made.rows, 'row')} of {counted(filled, 'relation')}"
    console.write(f"{done} {rows}: {folder}\n")
