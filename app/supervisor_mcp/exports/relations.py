"""The relations of a database, and their rows as lines of JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import psycopg
from psycopg import Connection

from supervisor_mcp.exports.errors import ExportError

# Rows of a file, and of a transaction of an import.
PART_ROWS: Final = 100_000

# Written and read in the same way on every server.
SETTINGS: Final = """
set local search_path = pg_catalog; set local timezone = 'UTC'; set local datestyle = 'ISO';
set local intervalstyle = 'postgres'; set local bytea_output = 'hex';
set local extra_float_digits = 1; set local statement_timeout = 0
"""

# JSON has no control characters, so nothing is quoted and each row is a line.
COPY: Final = "copy ({}) to stdout with (format csv, quote e'\\x01', delimiter e'\\x02')"


@dataclass(frozen=True)
class Stored:
    """A relation in this database: see internal.exported_relations."""

    name: str
    stored_in: str
    prefilled: bool
    audited: bool
    query: str


def connect(conninfo: str) -> Connection:
    """A connection on which transactions are opened explicitly."""
    # No prepared statements: between transactions the session may be another one (PgBouncer).
    return psycopg.connect(conninfo, autocommit=True, prepare_threshold=None)


def stored(conn: Connection) -> list[Stored]:
    """The relations, each after those that it refers to. Raises ExportError without a schema."""
    with conn.transaction():
        conn.execute(SETTINGS)
        if conn.execute("select to_regprocedure('internal.exported_relations()')").fetchone() == (
            None,
        ):
            raise ExportError(
                "This release has not deployed the database.",
                "Run `supervisor-mcp deploy` with this release first.",
            )
        rows = conn.execute(
            "select name, stored_in::text, prefilled, audited, internal.export_query(stored_in)"
            " from internal.exported_relations() order by place"
        )
        return [Stored(*row) for row in rows]


def lines(conn: Connection, relation: Stored) -> Iterator[bytes]:
    """The rows of a relation, a line each, in an order that depends on nothing but them."""
    with (
        conn.cursor() as cursor,
        cursor.copy(COPY.format(relation.query).encode()) as copy,
    ):
        for row in copy:
            yield bytes(row)


def migrations(conn: Connection) -> dict[str, str]:
    """The migrations that have run, with their digests."""
    return dict(conn.execute("select name, sha256 from deploy.migration order by name").fetchall())
