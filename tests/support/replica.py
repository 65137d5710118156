"""A primary server and its streaming standbys, each with a data directory of its own.

They run from the PostgreSQL with TimescaleDB whose folder of programs
`SUPERVISOR_TEST_POSTGRES_BIN` names; tests skip without it. PostgreSQL refuses to run as root, so
root runs it as another user.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tests.support.ports import free_port
from tests.support.processes import descendants

VARIABLE = "SUPERVISOR_TEST_POSTGRES_BIN"
UNPRIVILEGED = "nobody"
START_SECONDS = 60.0
# Loopback only, and nothing that a test waits for longer than it has to.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_preload_libraries": "timescaledb",
    "timescaledb.telemetry_level": "off",
    "timescaledb.max_background_workers": "16",
    "max_worker_processes": "32",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "hot_standby": "on",
    "wal_receiver_status_interval": "1",
    "timezone": "UTC",
    "fsync": "off",
}


class Postgres:
    """A server on a data directory, which can be started again after it has ended."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self._folder = folder
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.url = make_conninfo(
            host="127.0.0.1", port=self._port, user="postgres", dbname="postgres"
        )
        self.log = folder.with_suffix(".log")

    def create(self) -> None:
        """Make the data directory of a primary server."""
        options = ["--auth", "trust", "--username", "postgres", "--no-sync"]
        locale = ["--encoding", "UTF8", "--locale", "C"]
        self._run("initdb", "--pgdata", str(self._folder), *options, *locale)

    def copy(self, primary: Postgres) -> None:
        """Make the data directory of a standby, whose name there is that of its folder."""
        source = make_conninfo(primary.url, application_name=self._folder.name)
        # What pg_basebackup writes has options that the libpq of the server may not know.
        following = f"primary_conninfo = '{source}'\n"
        options = ["--wal-method", "stream", "--checkpoint", "fast", "--no-sync"]
        copying = ["--pgdata", str(self._folder), "--dbname", source, "--write-recovery-conf"]
        self._run("pg_basebackup", *copying, *options)
        with (self._folder / "postgresql.auto.conf").open("a") as settings:
            settings.write(following)

    def start(self) -> Self:
        """Run the server, unless it does, and wait until it takes connections."""
        if self._process is not None:
            return self
        settings = [f"--{name}={value}" for name, value in SETTINGS.items()]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    self._programs / "postgres",
                    "-D",
                    self._folder,
                    f"--port={self._port}",
                    *settings,
                ],
                stdout=log,
                stderr=log,
                cwd=self._folder,
                **_identity(),
            )
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                psycopg.connect(self.url, connect_timeout=2).close()
            except psycopg.OperationalError:
                ended = self._process.poll() is not None
                if ended or time.monotonic() > deadline:
                    raise AssertionError(self.log.read_text()[-3000:]) from None
                time.sleep(0.05)
            else:
                return self

    def stop(self) -> None:
        """End the server in order; sessions are ended, and standbys get what was written."""
        self._end(signal.SIGINT)

    def crash(self) -> None:
        """End the server at once, as a failure of the machine does."""
        self._end(signal.SIGQUIT)

    def freeze(self) -> None:
        """Let the server answer nothing while its connections stay open."""
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal_all(signal.SIGCONT)

    def promote(self) -> None:
        """Make a primary of a standby, and wait until it takes writes."""
        self.execute("select pg_promote()")

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        """Run a statement as the superuser, committed; the rows that it answers."""
        with psycopg.connect(self.url, autocommit=True, prepare_threshold=None) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._programs / program, *arguments],
            capture_output=True,
            cwd=self._folder.parent,
            check=False,
            **_identity(),
        )
        assert done.returncode == 0, done.stderr.decode()

    def _signal_all(self, number: signal.Signals) -> None:
        if self._process is not None:
            for pid, _ in descendants(self._process.pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, number)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(START_SECONDS)
            self._process = None


class Servers:
    """The servers of a test, all below one folder."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self._folder = folder
        self._all: list[Postgres] = []

    def primary(self) -> Postgres:
        """Start a primary server with an empty database."""
        server = self._new("primary")
        server.create()
        return server.start()

    def standby(self, primary: Postgres, name: str = "standby") -> Postgres:
        """Start a standby that streams from `primary`, where it has the name."""
        server = self._new(name)
        server.copy(primary)
        return server.start()

    def crash(self) -> None:
        """End all that still run."""
        for server in self._all:
            server.crash()

    def _new(self, name: str) -> Postgres:
        server = Postgres(self._programs, self._folder / name)
        self._all.append(server)
        return server


@contextmanager
def servers() -> Iterator[Servers]:
    """Servers for the time of a test, which skips where no PostgreSQL is named."""
    programs = os.environ.get(VARIABLE)
    if not programs:
        pytest.skip(f"needs {VARIABLE}, the programs of a PostgreSQL with TimescaleDB")
    with ExitStack() as stack:
        # Not below the folder of pytest, which only its owner may enter.
        folder = Path(tempfile.mkdtemp(prefix="supervisor-postgres-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        if os.geteuid() == 0:
            shutil.chown(folder, UNPRIVILEGED)
        started = Servers(Path(programs), folder)
        stack.callback(started.crash)
        yield started


def _identity() -> dict[str, Any]:
    """Whom a program runs as."""
    if os.geteuid() != 0:
        return {}
    return {"user": UNPRIVILEGED, "group": "nogroup", "extra_groups": []}
