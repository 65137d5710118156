"""The login of the service: it works as supervisor_app, and is better nothing else."""

from __future__ import annotations

import psycopg
from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import Conninfo
from psycopg.sql import SQL, Identifier

from supervisor_mcp.deploy.ledger import LOCK

ROLE = "supervisor_app"

KNOWN = "select exists (select from pg_roles where rolname = %s)"
MEMBER = f"select pg_has_role(%s, '{ROLE}', 'member')"
# Also where it belongs to the owner's role, or is a superuser.
OWNS = """
select session_user, pg_has_role(session_user, nspowner, 'member')
from pg_namespace where nspname = 'data'
"""


def login_of(conninfo: str) -> str:
    """The name that a DSN logs in as. Raises psycopg.ProgrammingError when it is not a DSN."""
    given = conninfo_to_dict(conninfo).get("user")
    if given:
        return str(given)
    defaults = {option.keyword: option.val for option in Conninfo.get_defaults()}
    return (defaults.get(b"user") or b"").decode()


def admit(conn: Connection, login: str) -> tuple[str, ...]:
    """Let a login work as supervisor_app; say what an administrator has to do where this cannot."""
    statement = f"grant {ROLE} to {Identifier(login).as_string(conn)}"
    if conn.execute(KNOWN, (login,)).fetchone() == (False,):
        return (
            f'the service cannot log in as "{login}", a role that does not exist: create it'
            f" with a password, then run: {statement}",
        )
    if conn.execute(MEMBER, (login,)).fetchone() == (True,):
        return ()
    try:
        with conn.transaction():
            # Of two that grant it at once, the server refuses one with an internal error.
            conn.execute(LOCK)
            conn.execute(SQL("grant {} to {}").format(Identifier(ROLE), Identifier(login)))
    except psycopg.errors.InsufficientPrivilege:
        return (f"an administrator of the database has to run: {statement}",)
    return ()


def owner_among(conninfo: str) -> str | None:
    """The name of the login where it owns the schema; None where it does not.

    Raises psycopg.OperationalError when the server cannot be reached.
    """
    with psycopg.connect(conninfo, autocommit=True, prepare_threshold=None) as conn:
        row = conn.execute(OWNS).fetchone()
    return row[0] if row is not None and row[1] else None
