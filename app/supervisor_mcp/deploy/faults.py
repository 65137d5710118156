"""Faults of certain versions of the server that an operator has to know of."""

from __future__ import annotations

from psycopg import Connection

TIMESCALEDB = "select extversion from pg_extension where extname = 'timescaledb'"

JOBS_MARKED_FAILED = (
    "on PostgreSQL 17.12, TimescaleDB 2.29 marks every run of a job as failed although its work is"
    " committed, and delays the next run: use PostgreSQL 17.11"
)


def known_faults(conn: Connection) -> tuple[str, ...]:
    """Describe the known faults of the server that `conn` is connected to."""
    (timescaledb,) = conn.execute(TIMESCALEDB).fetchone() or ("",)
    return faults_of(conn.info.server_version, timescaledb)


def faults_of(postgresql: int, timescaledb: str) -> tuple[str, ...]:
    """Describe the known faults of two versions such as 170012 and 2.29.2."""
    if postgresql == 170012 and timescaledb.startswith("2.29."):
        return (JOBS_MARKED_FAILED,)
    return ()
