"""The database and the cache of a command: those in the settings, else the embedded ones."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from supervisor_mcp.cli import cache_url
from supervisor_mcp.cli.availability import await_database
from supervisor_mcp.cli.failure import USAGE, Failure, one_line
from supervisor_mcp.cli.restarts import Kept
from supervisor_mcp.config import Settings
from supervisor_mcp.credentials import key_secret
from supervisor_mcp.deploy import (
    DeployError,
    Older,
    Report,
    deploy,
    login_of,
    owner_among,
    shipped_sql_dir,
)
from supervisor_mcp.embedded import announce, announced, cache, database
from supervisor_mcp.embedded.errors import EmbeddedError

logger = logging.getLogger(__name__)

ANALYST = "supervisor_analyst"
# In the data directory.
KEY_FILE = "key_secret"
DATABASE_URL = "SUPERVISOR_DATABASE_URL"
DEPLOY_URL = "SUPERVISOR_DEPLOY_DATABASE_URL"
# Jobs begin at the latest then, should the service not get ready.
JOBS_WAIT_SECONDS = 600.0
# On the embedded database, everybody waits for the statement of a client.
EMBEDDED_QUERY_SECONDS = 2
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Servers:
    """Where database and cache are, and those that this process started."""

    data_dir: Path
    database_url: str
    redis_url: str
    database: Kept[database.Database] | None
    cache: Kept[cache.Cache] | None

    @property
    def shown_database(self) -> str:
        """The DSN of the database as it can be printed."""
        return self.database_url if self.database else without_password(self.database_url)

    @property
    def analyst_dsn(self) -> str | None:
        """The DSN of an analyst; None for a database with logins of its own."""
        if self.database is None:
            return None
        return self.database_url.replace("postgres@", f"{ANALYST}@")

    def begin_jobs(self) -> None:
        """Let the jobs of an embedded database run: until then, nothing has to wait for one."""
        if self.database is not None:
            self.database.server.begin_jobs()

    def check(self) -> None:
        """Start an embedded server again that ended by itself. Raises Failure when it cannot."""
        if self.cache is not None:
            self.cache.check()
        if self.database is not None and self.database.check():
            announce(self.data_dir, self.database.server, self.redis_url)


@contextmanager
def start(settings: Settings, progress: Progress) -> Iterator[Servers]:
    """Start the servers that the settings do not name, and stop them at the end. Raises Failure."""
    check_urls(settings)
    cache_url.refuse_unusable(settings.redis_url)
    with ExitStack() as stack:
        database_url, own_database = stack.enter_context(
            start_database(settings, progress, jobs=True)
        )
        own_cache = None
        if settings.redis_url is None:
            progress("starting Valkey")
            own_cache = stack.enter_context(_start_cache(settings.data_dir))
        redis_url = settings.redis_url or (own_cache.server.url if own_cache else "")
        if own_database is not None:
            stack.enter_context(announced(settings.data_dir, own_database.server, redis_url))
        yield Servers(
            data_dir=settings.data_dir,
            database_url=database_url,
            redis_url=redis_url,
            database=own_database,
            cache=own_cache,
        )


@contextmanager
def start_database(
    settings: Settings, progress: Progress, *, jobs: bool
) -> Iterator[tuple[str, Kept[database.Database] | None]]:
    """The DSN in the settings, or the embedded database, started.

    With `jobs`, it runs its jobs from `begin_jobs` on. A database in the settings may still be on
    its way. Raises Failure.
    """
    check_urls(settings)
    if settings.database_url is not None:
        _await(settings, settings.database_url, progress)
        yield settings.database_url, None
        return
    if settings.deploy_database_url is not None:
        raise Failure(
            f"{DEPLOY_URL} is set, and {DATABASE_URL} is not.",
            USAGE,
            hint=f"Set {DATABASE_URL} to the DSN that the service logs in with.",
        )
    progress(f"starting TimescaleDB on {settings.data_dir}")

    def again(ended: database.Database) -> database.Database:
        return database.start(
            settings.data_dir,
            cache_dir=settings.cache_dir,
            registry=settings.npm_registry,
            port=ended.port,
            only_port=True,
        )

    with _explained():
        running = database.start(
            settings.data_dir,
            cache_dir=settings.cache_dir,
            registry=settings.npm_registry,
            port=settings.embedded_port,
            jobs=jobs,
            jobs_wait_seconds=JOBS_WAIT_SECONDS,
            progress=progress,
        )
    if settings.embedded_port not in (0, running.port):
        logger.warning(
            "port %d is taken by another program; the embedded database listens on port %d",
            settings.embedded_port,
            running.port,
        )
    with Kept("The embedded database", running, again) as kept:
        yield running.url, kept


def _await(settings: Settings, url: str, progress: Progress) -> None:
    """Wait for the database in the settings. Raises Failure where it does not come."""
    seconds = settings.database_wait_seconds
    shown = without_password(url)
    reason = await_database(url, shown, seconds=seconds, say=progress)
    if reason is not None:
        waited = f" within {seconds} s" if seconds else ""
        raise Failure(
            f"The database at {shown} does not answer{waited} ({reason}).",
            hint=f"Check {DATABASE_URL}, and that the server runs;"
            " SUPERVISOR_DATABASE_WAIT_SECONDS sets how long to wait.",
        )


def _start_cache(data_dir: Path) -> Kept[cache.Cache]:
    with _explained():
        running = cache.start(data_dir)
    return Kept("The embedded Valkey", running, lambda ended: cache.start(data_dir, ended))


def deploy_schema(database_url: str, older: Older, *, deploy_url: str | None = None) -> Report:
    """Deploy the shipped sql/, by a release that may be `older` than the last.

    `deploy_url` is the DSN of the owner of the schema, where the service has a login of its own in
    `database_url`. Raises Failure.
    """
    setting = DATABASE_URL if deploy_url is None else DEPLOY_URL
    owner_url = deploy_url or database_url
    shown = without_password(owner_url, setting)
    try:
        return deploy(owner_url, shipped_sql_dir(), older=older, service=login_of(database_url))
    except DeployError as error:
        raise Failure(str(error)) from error
    except psycopg.errors.InsufficientPrivilege as error:
        raise Failure(
            f'The login "{login_of(owner_url)}" may not deploy ({one_line(error)}).',
            hint=f"Set {DEPLOY_URL} to the DSN of the owner of the schema, or deploy in a step of"
            " its own and start the service with --no-deploy.",
        ) from error
    except psycopg.OperationalError as error:
        raise Failure(
            f"The database at {shown} does not answer ({one_line(error)}).",
            hint=f"Check {setting}.",
        ) from error


def prepare_schema(database_url: str, *, deploy_url: str | None = None) -> None:
    """Deploy the shipped sql/ unless a newer release has, and log what to know. Raises Failure."""
    report = deploy_schema(database_url, Older.LEAVE, deploy_url=deploy_url)
    for line in report.kept:
        logger.info(line)
    for line in report.warnings:
        logger.warning(line)


def key_secret_file(settings: Settings, *, is_embedded: bool) -> Path | None:
    """The file with the secret of keys: that of the settings, else that of an embedded database.

    None where the settings have the secret itself, or none for a database of their own: what one
    process makes, others on that database would not know. Raises Failure for a file that cannot be
    used.
    """
    file = settings.key_secret_file
    try:
        if settings.key_secret is None and file is None and is_embedded:
            file = settings.data_dir / KEY_FILE
            key_secret.make(file)
        key_secret.read(settings.key_secret, file)
    except (ValueError, OSError) as error:
        raise Failure(
            f"The secret of keys cannot be used: {error}.",
            USAGE,
            hint="Set SUPERVISOR_KEY_SECRET_FILE to a file that this user can read, with at least"
            f" {key_secret.SHORTEST} random characters.",
        ) from error
    return file


def query_sql_seconds(settings: Settings, *, is_embedded: bool) -> int:
    """How long a statement of a client may take: as set, and else less on an embedded database."""
    if is_embedded and "query_sql_seconds" not in settings.model_fields_set:
        return EMBEDDED_QUERY_SECONDS
    return settings.query_sql_seconds


def warn_of_owner(database_url: str) -> None:
    """Log a warning where the service logs in as a role that could do anything to its data."""
    try:
        owner = owner_among(database_url)
    except psycopg.OperationalError:
        # The service reports what it cannot reach.
        return
    if owner is not None:
        logger.warning(
            'the service logs in as "%s", which owns the schema, so that only its own code keeps it'
            " to its functions; create a login for it, set %s to that one's DSN and %s to this one",
            owner,
            DATABASE_URL,
            DEPLOY_URL,
        )


def without_password(conninfo: str, setting: str = DATABASE_URL) -> str:
    """A DSN of a setting as it can be shown. Raises Failure when it is not a DSN."""
    try:
        parameters = conninfo_to_dict(conninfo)
    except psycopg.ProgrammingError:
        # What the library says quotes parts of the text, a password among them.
        raise Failure(
            f"{setting} is not a DSN.",
            USAGE,
            hint="Set it to a DSN such as postgresql://user:password@host:5432/database.",
        ) from None
    return make_conninfo(
        "", **{name: str(value) for name, value in parameters.items() if name != "password"}
    )


def check_urls(settings: Settings) -> None:
    """Raise Failure for a database or a Redis whose URL cannot be read; it may hold a password."""
    if settings.database_url is not None:
        without_password(settings.database_url)
    cache_url.check(settings.redis_url)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except EmbeddedError as error:
        raise Failure(str(error)) from error
    except OSError as error:
        raise Failure(
            f"An embedded server cannot start: {error}.",
            hint="Check the disk and the permissions of SUPERVISOR_DATA_DIR.",
        ) from error
