"""The TimescaleDB that tests run on, and fresh databases on it.

Chosen in this order: `SUPERVISOR_TEST_DATABASE_URL`, a superuser's DSN on a native server; a
container where a Docker engine answers; the embedded server.
"""

from __future__ import annotations

import gc
import os
import shutil
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import docker  # type: ignore[import-untyped]
import psycopg
from docker.errors import DockerException  # type: ignore[import-untyped]
from psycopg import Connection
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

from supervisor_mcp import config
from supervisor_mcp.embedded import database
from supervisor_mcp.embedded.database import Database
from tests.support import database_state
from tests.support.data_directories import DataDirectories, deploy_shipped, stop_jobs
from tests.support.database_state import State

IMAGE = "timescale/timescaledb:2.29.2-pg17"

# What only this product makes: an empty database again, without a new server.
RESET = """
select delete_job(job_id) from timescaledb_information.jobs where job_id >= 1000;
drop schema if exists data, internal, api, analytics, ops, deploy cascade;
do $$ begin execute format('alter database %I reset all', current_database()); end $$
"""

# As many as a test uses at once.
IDLE = 2


class Server(Protocol):
    """A server for the time of a test session."""

    def empty(self) -> AbstractContextManager[str]:
        """Give the DSN of a database that nothing was deployed to."""
        ...

    def deployed(self) -> AbstractContextManager[str]:
        """The DSN of a new database with sql/ deployed and all jobs off."""
        ...


class NativeServer:
    """A PostgreSQL that runs background workers and many sessions; `url` is a superuser's DSN."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._template: str | None = None

    @contextmanager
    def empty(self) -> Iterator[str]:
        """Create a database and drop it afterwards."""
        # Nobody can be connected to template0, and it has no extension before ours creates it.
        with self._database("template0") as url:
            yield url

    @contextmanager
    def deployed(self) -> Iterator[str]:
        """Clone the deployed database, which the first call makes."""
        with self._database(self._template or self._make_template()) as url:
            yield url

    def close(self) -> None:
        """Drop the deployed database."""
        if self._template is not None:
            self._execute(SQL("alter database {name} with is_template false"), self._template)
            self._execute(SQL("drop database {name} with (force)"), self._template)

    @contextmanager
    def _database(self, template: str) -> Iterator[str]:
        name = _name()
        self._execute(SQL("create database {name} template {template}"), name, template)
        try:
            yield make_conninfo(self.url, dbname=name)
        finally:
            self._execute(SQL("drop database {name} with (force)"), name)

    def _make_template(self) -> str:
        name = _name()
        self._execute(SQL("create database {name} template template0"), name)
        deploy_shipped(make_conninfo(self.url, dbname=name))
        stop_jobs(make_conninfo(self.url, dbname=name))
        # The scheduler leaves templates alone; a session of it would prevent cloning.
        self._execute(
            SQL("alter database {name} with is_template true allow_connections false"), name
        )
        self._execute(
            SQL(
                "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
                " where datname = {text}"
            ),
            name,
        )
        self._template = name
        return name

    def _execute(self, statement: SQL, name: str, template: str = "") -> None:
        with psycopg.connect(self.url, autocommit=True) as conn:
            conn.execute(
                statement.format(name=Identifier(name), template=Identifier(template), text=name)
            )


class EmbeddedServer:
    """Embedded servers below `folder`, on copies of prepared data directories.

    A start costs more than a test, so the server of a test that left nothing but rows is the next
    one's.
    """

    def __init__(self, folder: Path, prepared: DataDirectories) -> None:
        self._folder = folder
        self._prepared = prepared
        self._running = ExitStack()
        self._empty_url: str | None = None
        self._deployed: State | None = None
        self._idle: dict[str, Database] = {}

    @contextmanager
    def empty(self) -> Iterator[str]:
        """Reset the one server that is kept for this; one test at a time."""
        if self._empty_url is None:
            self._prepared.empty(self._folder / "empty")
            self._empty_url = self._running.enter_context(self._start("empty")).url
        with _superuser(self._empty_url) as conn:
            conn.execute(RESET)
        yield self._empty_url

    @contextmanager
    def deployed(self) -> Iterator[str]:
        """Run a server on a copy of the deployed data directory, or one that is so again."""
        name, server = self._idle.popitem() if self._idle else self._start_deployed()
        try:
            yield server.url
        finally:
            if len(self._idle) < IDLE and self._restored(server):
                self._idle[name] = server
            else:
                server.stop()
                shutil.rmtree(self._folder / name)

    def close(self) -> None:
        """Stop the servers that are kept."""
        for server in self._idle.values():
            server.stop()
        self._running.close()

    def _start_deployed(self) -> tuple[str, Database]:
        name = _name()
        self._prepared.deployed(self._folder / name, jobs=False)
        server = self._start(name)
        if self._deployed is None:
            with _superuser(server.url) as conn:
                self._deployed = database_state.read(conn)
        return name, server

    def _restored(self, server: Database) -> bool:
        assert self._deployed is not None
        try:
            with _superuser(server.url) as conn:
                return database_state.restore(conn, self._deployed)
        except psycopg.Error:
            return False

    def _start(self, name: str) -> Database:
        return database.start(self._folder / name, cache_dir=config.load().cache_dir, jobs=False)


@cache
def is_embedded() -> bool:
    """Whether the embedded server is the one chosen; starts nothing."""
    return not os.environ.get("SUPERVISOR_TEST_DATABASE_URL") and not _docker_answers()


@contextmanager
def chosen(folder: Path, prepared: DataDirectories) -> Iterator[Server]:
    """Run the chosen server; an embedded one keeps copies of `prepared` below `folder`."""
    with ExitStack() as stack:
        server: NativeServer | EmbeddedServer
        if is_embedded():
            server = EmbeddedServer(folder, prepared)
        else:
            url = os.environ.get("SUPERVISOR_TEST_DATABASE_URL")
            server = NativeServer(url or stack.enter_context(_container()))
        stack.callback(server.close)
        yield server


@contextmanager
def _container() -> Iterator[str]:
    from testcontainers.community.postgres import PostgresContainer  # noqa: PLC0415

    with PostgresContainer(IMAGE, driver=None) as container:
        yield container.get_connection_url()


def _docker_answers() -> bool:
    # Where no engine listens, the library drops its socket unclosed.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            docker.from_env(timeout=5).close()
        except DockerException:
            return False
        finally:
            gc.collect()
    return True


def _superuser(url: str) -> Connection:
    return psycopg.connect(url, autocommit=True, prepare_threshold=None)


def _name() -> str:
    return f"supervisor_test_{uuid4().hex[:12]}"
