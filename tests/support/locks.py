"""Who waits for a lock in a database: pg_locks shows those of the whole server."""

from __future__ import annotations

from psycopg import Connection

WAITING = """
select count(*)
from pg_locks
inner join pg_database on pg_locks.database = pg_database.oid
where not granted and datname = current_database() and locktype = any(%s)
"""


def waiting(conn: Connection, *types: str) -> int:
    """The number of locks of these types that somebody waits for."""
    ((found,),) = conn.execute(WAITING, [[*types]]).fetchall()
    return int(found)
