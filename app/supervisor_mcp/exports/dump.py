"""From a database into files: one snapshot, while others use it."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from hashlib import sha256
from importlib import metadata
from itertools import chain, count, islice
from pathlib import Path
from typing import Final
from uuid import uuid4

from psycopg import Connection, IsolationLevel

from supervisor_mcp.exports import manifest, relations
from supervisor_mcp.exports.errors import ExportError
from supervisor_mcp.exports.manifest import Manifest, Part, Relation
from supervisor_mcp.exports.relations import PART_ROWS, Stored

# An export that was begun and not completed; another one may replace it.
UNFINISHED: Final = "unfinished"
ENDING: Final = ".ndjson.gz"
# More takes longer than it saves.
COMPRESSION: Final = 1

ABOUT: Final = """
select
    to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
    format('PostgreSQL %s, TimescaleDB %s', current_setting('server_version'), extversion),
    internal.export_state()
from pg_extension where extname = 'timescaledb'
"""


def export(conninfo: str, folder: Path, progress: Callable[[str], None]) -> Manifest:
    """Write everything in a database into `folder`, which is created.

    `progress` is called with the name of each relation. Raises ExportError, psycopg.Error, OSError.
    """
    with relations.connect(conninfo) as conn:
        found = relations.stored(conn)
        _open(folder)
        conn.isolation_level = IsolationLevel.REPEATABLE_READ
        conn.read_only = True
        with conn.transaction():
            # Before the snapshot, so that retention drops no chunk of it.
            conn.execute(_lock(found))
            conn.execute(relations.SETTINGS)
            about = conn.execute(ABOUT).fetchone()
            assert about is not None  # noqa: S101
            written = []
            for relation in found:
                progress(f"exporting {relation.name}")
                written.append(_write(conn, relation, folder))
            made = Manifest(
                format=manifest.FORMAT,
                export_id=str(uuid4()),
                exported_at=about[0],
                version=metadata.version("supervisor-mcp"),
                server=about[1],
                migrations=relations.migrations(conn),
                state=about[2],
                relations=written,
            )
    manifest.write(folder, made)
    (folder / UNFINISHED).unlink()
    return made


def parts(rows: Iterator[bytes]) -> Iterator[Iterator[bytes]]:
    """The rows of a relation, in the portions of its files."""
    for first in rows:
        yield chain([first], islice(rows, PART_ROWS - 1))


def digest(rows: Iterator[bytes], write: Callable[[bytes], object]) -> tuple[int, str]:
    """The number of rows and their digest; each is written."""
    hashed = sha256()
    number = 0
    for row in rows:
        hashed.update(row)
        write(row)
        number += 1
    return number, hashed.hexdigest()


def _open(folder: Path) -> None:
    """Create the folder, or empty it of an export that was not completed."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = folder / UNFINISHED
    if not unfinished.exists() and any(folder.iterdir()):
        raise ExportError(
            f"{folder} is not empty.", "Name a folder that is empty or does not exist."
        )
    unfinished.touch()
    for file in folder.glob(f"*{ENDING}"):
        file.unlink()


def _lock(found: list[Stored]) -> bytes:
    names = ", ".join(relation.stored_in for relation in found)
    return f"lock table {names} in access share mode".encode()


def _write(conn: Connection, relation: Stored, folder: Path) -> Relation:
    written = []
    short = relation.name.removeprefix("data.")
    for number, rows in zip(count(1), parts(relations.lines(conn, relation)), strict=False):
        name = f"{short}.{number:05}{ENDING}"
        with _opened(folder / name) as file:
            written.append(Part(name, *digest(rows, file.write)))
    return Relation(relation.name, sum(part.rows for part in written), written)


def _opened(path: Path) -> gzip.GzipFile:
    path.touch(mode=0o600)
    # Without a time, the same rows make the same file.
    return gzip.GzipFile(path, "wb", compresslevel=COMPRESSION, mtime=0)
