"""Whether a database answers, and waiting for one that does not yet.

A server that starts, or a failover, takes a while, and services start in any order. What waiting
does not repair, such as a wrong password or a missing database, is left to who connects next.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import PGconn, Ping

from supervisor_mcp.cli.failure import one_line

CONNECT_SECONDS = 5
FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 10.0
WORD_SECONDS = 60.0

# What a server says that starts or ends, a pooler whose server is away, and the client itself where
# target_session_attrs asks for another server.
AWAY = re.compile(
    r"the database system is|hot standby mode|session is (not )?read-only"
    r"|connect failed|DNS lookup failed"
)
# What the client says of a DSN that it cannot use, whatever the server does.
UNUSABLE = re.compile(r"invalid (integer value|port number|sslmode value)")
# Any other refusal is final. Where the server says it in another language, a ping decides, which
# needs no login.
REFUSAL = "FATAL:"


def await_database(
    conninfo: str, shown: str, *, seconds: float, say: Callable[[str], None]
) -> str | None:
    """Wait until a database answers, if only to refuse the login.

    Says so at first and then once a minute; `shown` is the DSN as it can be printed. Returns why it
    does not answer after `seconds`, None when it does.
    """
    conninfo = make_conninfo(conninfo, **_limits(conninfo))
    began = time.monotonic()
    said = float("-inf")
    pause = FIRST_PAUSE_SECONDS
    while (reason := _absence(conninfo)) is not None:
        now = time.monotonic()
        if now - began >= seconds:
            return reason
        if now - said >= WORD_SECONDS:
            said = now
            waited = f", for {now - began:.0f} s now" if now - began >= WORD_SECONDS else ""
            say(f"waiting for the database at {shown}{waited}: {reason}")
        # With jitter, so that nodes that wait together do not ask together.
        rest = began + seconds - now
        time.sleep(min(rest, pause * random.uniform(0.5, 1.0)))  # noqa: S311  not for a secret
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
    return None


def _limits(conninfo: str) -> dict[str, int]:
    """The time limit of a connection, where the DSN has none."""
    given = conninfo_to_dict(conninfo)
    return {} if "connect_timeout" in given else {"connect_timeout": CONNECT_SECONDS}


def _absence(conninfo: str) -> str | None:
    """Why nothing answers; None where something does."""
    reason = _refusal(conninfo)
    if reason is None or AWAY.search(reason):
        return reason
    if REFUSAL in reason or UNUSABLE.search(reason):
        return None
    # The ping comes second, so that what has started meanwhile is asked once more.
    if PGconn.ping(conninfo.encode()) in (Ping.NO_RESPONSE, Ping.REJECT):
        return reason
    again = _refusal(conninfo)
    return again if again is not None and AWAY.search(again) else None


def _refusal(conninfo: str) -> str | None:
    try:
        # A pooler takes the connection before it has one to the server.
        with psycopg.connect(conninfo, autocommit=True, prepare_threshold=None) as conn:
            conn.execute("select")
    except psycopg.OperationalError as error:
        return one_line(error)
    return None
