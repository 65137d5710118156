"""Rows of fixed width in PostgreSQL's binary COPY format, made by numpy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.sql import SQL, Identifier

Column = NDArray[Any]

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
# PostgreSQL counts microseconds from 2000-01-01.
EPOCH_MICROSECONDS = 946_684_800_000_000
WRITE_BYTES = 1 << 22


def timestamps(seconds: NDArray[np.float64]) -> NDArray[np.int64]:
    """Unix times as timestamptz."""
    return np.rint(seconds * 1e6).astype(np.int64) - EPOCH_MICROSECONDS


def encode(columns: Mapping[str, Column]) -> bytes:
    """The rows of these columns; texts are bytes of one width."""
    layout: list[tuple[str, str]] = [("fields", ">i2")]
    for name, column in columns.items():
        layout += [(f"{name} width", ">i4"), (name, column.dtype.newbyteorder(">").str)]
    rows = np.empty(len(next(iter(columns.values()))), layout)
    rows["fields"] = len(columns)
    for name, column in columns.items():
        rows[f"{name} width"] = column.dtype.itemsize
        rows[name] = column
    return rows.tobytes()


def copy(conn: psycopg.Connection, table: tuple[str, ...], columns: Mapping[str, Column]) -> None:
    """Store rows in a table; the connection decides on the transaction."""
    statement = SQL("copy {} ({}) from stdin (format binary)").format(
        Identifier(*table), SQL(", ").join(map(Identifier, columns))
    )
    rows = memoryview(encode(columns))
    with conn.cursor() as cursor, cursor.copy(statement) as sink:
        sink.write(HEADER)
        for at in range(0, len(rows), WRITE_BYTES):
            sink.write(rows[at : at + WRITE_BYTES])
        sink.write(TRAILER)
