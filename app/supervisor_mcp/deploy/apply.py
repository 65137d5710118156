"""Run one file unchanged, inside the deploy's transaction."""

from __future__ import annotations

import psycopg
from psycopg import Connection

from supervisor_mcp.deploy.errors import DeployError
from supervisor_mcp.deploy.failure import describe
from supervisor_mcp.deploy.tree import SqlFile

# What the server says when a savepoint, or the transaction itself, was ended under it.
ENDED_TRANSACTION = {"25P01", "3B001"}


def attempt(conn: Connection, file: SqlFile) -> psycopg.Error | None:
    """Run a file in a savepoint; return the server's error, with the file's effects undone."""
    try:
        with conn.transaction():
            conn.execute(file.text.encode())
    except psycopg.Error as error:
        return error
    return None


def apply(conn: Connection, file: SqlFile) -> None:
    """Run a file; raises DeployError naming it when the server refuses it."""
    error = attempt(conn, file)
    if error is not None:
        raise refusal(file, error) from error


def refusal(file: SqlFile, error: psycopg.Error) -> DeployError:
    """Make the error that names a file the server refused."""
    if error.sqlstate in ENDED_TRANSACTION:
        return DeployError(f"{file.path} begins or ends a transaction: leave that to the deploy")
    return DeployError(describe(file, error))
