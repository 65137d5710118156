"""A PgBouncer in transaction mode: an installed one, or that of Debian's package."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.support import debian
from tests.support.ports import free_port
from tests.support.programs import Program

# The package, and the library that a container mostly lacks.
PACKAGES = ("pgbouncer", "libc-ares2")
CONFIGURATION = """
[databases]
* = host={host} port={port} dbname={dbname} user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 4
ignore_startup_parameters = extra_float_digits
"""


def program(folder: Path) -> Program:
    """A PgBouncer. Raises debian.Unavailable."""
    # It does not run as root.
    user = ("--user", "nobody") if os.getuid() == 0 else ()
    installed = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if installed is not None:
        return Program((installed, *user))
    debian.unpack(folder, *PACKAGES)
    return Program((str(folder / "usr/sbin/pgbouncer"), *user), debian.libraries(folder))


@contextmanager
def start(folder: Path, database_url: str) -> Iterator[str]:
    """Run a PgBouncer in front of a database; its DSN. Raises debian.Unavailable."""
    there = conninfo_to_dict(database_url)
    own = free_port()
    file = folder / "pgbouncer.ini"
    file.write_text(CONFIGURATION.format(**{"port": 5432, **there}, own=own))
    url = make_conninfo(database_url, host="127.0.0.1", port=own)

    def ready() -> bool:
        try:
            psycopg.connect(url, prepare_threshold=None, connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    with program(folder).running(str(file), ready=ready, log=folder / "pgbouncer.log"):
        yield url
