"""From files into an empty database: a transaction for each file, then everything compared."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec
import psycopg
from psycopg import Connection
from psycopg.sql import SQL, Identifier

from supervisor_mcp.exports import manifest, relations
from supervisor_mcp.exports.dump import digest, parts
from supervisor_mcp.exports.errors import ExportError
from supervisor_mcp.exports.manifest import Manifest, Part, Relation
from supervisor_mcp.exports.relations import Stored

# Of one statement.
BATCH_ROWS: Final = 5_000
BATCH_BYTES: Final = 4 * 1024 * 1024
AGAIN: Final = "Run the same command again to continue; files that are imported are kept."

Progress = Callable[[str], None]


def is_deployed(conninfo: str) -> bool:
    """Whether any release has deployed this database."""
    with relations.connect(conninfo) as conn:
        found = conn.execute("select to_regclass('deploy.release') is not null").fetchone()
        return found == (True,)


def load(conninfo: str, folder: Path, progress: Progress) -> Manifest | None:
    """Import an export into a database without data, or go on with it; None if that was done.

    `progress` is called with each step. Raises ExportError, psycopg.Error, OSError.
    """
    made = manifest.read(folder)
    with relations.connect(conninfo) as conn:
        here = {relation.name: relation for relation in relations.stored(conn)}
        _compare_migrations(conn, made)
        imported = _imported(conn, made)
        if imported.get(manifest.NAME):
            return None
        if manifest.NAME not in imported:
            _refuse_data(conn, here)
            _record(conn, made, Part(manifest.NAME, made.rows, ""), finished=False)
        if len(imported) <= 1:
            progress("preparing the database")
            _call(conn, "begin_import", made)
        for relation in made.relations:
            rows = "row" if relation.rows == 1 else "rows"
            progress(f"importing {relation.rows:,} {rows} of {relation.name}")
            for part in relation.parts:
                if part.file not in imported:
                    _load(conn, made, here[relation.name], part, folder)
        for relation in made.relations:
            progress(f"comparing {relation.name}")
            _verify(conn, here[relation.name], relation)
        _refresh(conn, progress)
        _call(conn, "end_import", made)
        conn.execute(
            "update deploy.import_file set imported_at = now() where export_id = %s and file = %s",
            (made.export_id, manifest.NAME),
        )
        conn.execute("analyze")
    return made


def _compare_migrations(conn: Connection, made: Manifest) -> None:
    here = relations.migrations(conn)
    for name in sorted(here.keys() | made.migrations.keys()):
        if here.get(name) != made.migrations.get(name):
            raise ExportError(
                f"The export is of another schema than this database: they differ in {name}.",
                f"Export and import with the same release; the export is of {made.version}.",
            )


def _imported(conn: Connection, made: Manifest) -> dict[str, bool]:
    """The files of this export that are in the database, and whether they are complete."""
    rows = conn.execute(
        "select file, imported_at is not null from deploy.import_file where export_id = %s",
        (made.export_id,),
    )
    return dict(rows.fetchall())


def _refuse_data(conn: Connection, here: dict[str, Stored]) -> None:
    for relation in here.values():
        query = SQL("select exists (select from {})").format(_table(relation))
        if not relation.prefilled and conn.execute(query).fetchone() == (True,):
            raise ExportError(
                f"The database has data: {relation.name} is not empty.",
                "Import into a new database, or a new SUPERVISOR_DATA_DIR, that no service uses.",
            )


def _load(conn: Connection, made: Manifest, into: Stored, part: Part, folder: Path) -> None:
    """Import one file, all of it or nothing."""
    path = folder / part.file
    hashed = sha256()
    rows = 0
    try:
        with conn.transaction(), gzip.open(path, "rb") as file:
            conn.execute(relations.SETTINGS)
            _record(conn, made, part, finished=True)
            with _unaudited(conn, into):
                for batch in _batches(file):
                    hashed.update(b"".join(batch))
                    rows += len(batch)
                    conn.execute(
                        "select internal.import_rows(%s::regclass, %s::json)",
                        (into.stored_in, f"[{b','.join(batch).decode()}]"),
                    )
            if (rows, hashed.hexdigest()) != (part.rows, part.sha256):
                raise ExportError(f"{path} is not what the manifest says.", "Copy the file again.")
    except (EOFError, zlib.error, gzip.BadGzipFile, UnicodeDecodeError) as error:
        raise ExportError(f"{path} cannot be read ({error}).", "Copy the file again.") from None
    except psycopg.DataError as error:
        raise ExportError(f"{path} cannot be imported ({_one_line(error)}).", AGAIN) from error
    except psycopg.errors.UndefinedObject as error:
        # A login that may see a namespace.
        raise ExportError(
            f"{path} cannot be imported ({_one_line(error)}).", f"Create it. {AGAIN}"
        ) from error
    except psycopg.errors.UniqueViolation as error:
        raise ExportError(
            f"{path} cannot be imported ({_one_line(error)}).",
            "Let no service or other import use the database meanwhile, and begin with a new one.",
        ) from error


def _batches(file: gzip.GzipFile) -> Iterator[list[bytes]]:
    while batch := file.readlines(BATCH_BYTES):
        for begin in range(0, len(batch), BATCH_ROWS):
            yield batch[begin : begin + BATCH_ROWS]


@contextmanager
def _unaudited(conn: Connection, relation: Stored) -> Iterator[None]:
    """An import is not a change that somebody made: the audit is in the export."""
    switch = SQL("alter table {} {} trigger audited")
    if relation.audited:
        conn.execute(switch.format(_table(relation), SQL("disable")))
    yield
    if relation.audited:
        conn.execute(switch.format(_table(relation), SQL("enable")))


def _verify(conn: Connection, relation: Stored, expected: Relation) -> None:
    """Raise ExportError unless the database has exactly the rows of the export."""
    with conn.transaction():
        conn.execute(relations.SETTINGS)
        rows = relations.lines(conn, relation)
        found = [digest(part, lambda row: None) for part in parts(rows)]
    if found != [(part.rows, part.sha256) for part in expected.parts]:
        raise ExportError(
            f"{relation.name} is not what was exported: it has"
            f" {sum(rows for rows, _ in found):,} of {expected.rows:,} rows, or others.",
            "Let no service use the database meanwhile, and import into a new one.",
        )


def _refresh(conn: Connection, progress: Progress) -> None:
    """Make the rollups again where all samples are: nobody waits for it now."""
    names = conn.execute("select name from internal.rollups() order by place").fetchall()
    for (name,) in names:
        progress(f"refreshing data.{name}")
        conn.execute(
            "call internal.refresh_buckets(%s::name, '-infinity', internal.watermark(%s::name))",
            (name, name),
        )


def _call(conn: Connection, procedure: str, made: Manifest) -> None:
    """Call a procedure that commits."""
    state = msgspec.json.encode(made.state).decode()
    conn.execute(SQL("call {}(%s::jsonb)").format(Identifier("internal", procedure)), (state,))


def _record(conn: Connection, made: Manifest, part: Part, *, finished: bool) -> None:
    conn.execute(
        "insert into deploy.import_file (export_id, file, rows, imported_at)"
        " values (%s, %s, %s, case when %s then now() end)",
        (made.export_id, part.file, part.rows, finished),
    )


def _table(relation: Stored) -> Identifier:
    return Identifier(*relation.stored_in.split("."))


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
