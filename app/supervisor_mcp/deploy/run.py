"""The deploy: migrations, functions and views, policies, grants; one transaction, one lock."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
from psycopg import Connection

from supervisor_mcp.deploy import ledger, logins, rebuild, release
from supervisor_mcp.deploy.apply import apply
from supervisor_mcp.deploy.errors import DeployError
from supervisor_mcp.deploy.faults import known_faults
from supervisor_mcp.deploy.ledger import Ledger
from supervisor_mcp.deploy.release import Older, Release
from supervisor_mcp.deploy.tree import SqlFile, Tree, read_tree

# Files name every object with its schema; TimescaleDB's functions are in public. The role's or
# the database's own settings must not decide what a name or a timestamp in a file means, or how an
# interval is written. Requests queue behind a deploy that waits for a lock: it gives way.
SETTINGS = """
set local search_path = public; set local timezone = 'UTC'; set local intervalstyle = 'postgres';
set local lock_timeout = '3s'
"""
# A deadlock, a lock that was not free in time, and a catalog row that somebody changed meanwhile.
RETRIED = {"40P01", "55P03", "XX000"}
RETRY_SECONDS = 300.0
PAUSE_SECONDS = 2.0

# What the server says where a function or view prevents the change of a table.
IN_USE = {"2BP01", "0A000"}


@dataclass(frozen=True)
class Report:
    """What a deploy did: paths below sql/, each tuple empty when there was nothing to do.

    `code` holds the functions and views that changed. `kept` says what was left as it was in this
    database, and `warnings` what is wrong with its server.
    """

    migrations: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    grants: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether anything was done."""
        return any((self.migrations, self.code, self.policies, self.grants, self.removed))

    def __str__(self) -> str:
        """One line per file, or that nothing was to do, then what was kept."""
        done = [f"applied {path}" for path in (*self.migrations, *self.code)]
        done += [f"applied {path}" for path in (*self.policies, *self.grants)]
        done += [f"no longer in sql/: {path}" for path in self.removed]
        return "\n".join([*(done or ["nothing to do"]), *self.kept])


def deploy(
    conninfo: str,
    sql_dir: Path,
    *,
    version: str | None = None,
    older: Older = Older.REFUSE,
    service: str | None = None,
) -> Report:
    """Bring the database at `conninfo` up to date with `sql_dir`, or leave it unchanged.

    `version` is that of the release, by default the installed one; `older` says what happens when
    a newer release has deployed the database. `service` is the login that the service will have:
    it may work as supervisor_app then, or a warning says what is missing. Deploys of one database
    at the same time wait for each other; nothing to do costs five round trips. What others do in
    the database does not have to wait for a deploy: it tries again where they hold what it needs.
    Raises DeployError when the files or the release are refused, psycopg.Error when the server
    cannot be reached.
    """
    tree = read_tree(sql_dir)
    this = Release(version or release.installed_version(), tree.sha256)
    deadline = time.monotonic() + RETRY_SECONDS
    while True:
        try:
            return _deploy(conninfo, tree, this, older, service)
        except (DeployError, psycopg.Error) as error:
            if _state(error) not in RETRIED or time.monotonic() > deadline:
                raise
        time.sleep(PAUSE_SECONDS * random.random())  # noqa: S311  not for a secret


def _state(error: Exception) -> str | None:
    """The SQLSTATE of what the server refused."""
    return getattr(error.__cause__ if isinstance(error, DeployError) else error, "sqlstate", None)


def _deploy(conninfo: str, tree: Tree, this: Release, older: Older, service: str | None) -> Report:
    # No prepared statements: between transactions the session may be another one (PgBouncer).
    with psycopg.connect(conninfo, autocommit=True, prepare_threshold=None) as conn:
        standing = ledger.read(conn)
        report = _plan(standing, tree, this, older)
        if report.changed or _is_newer(this, standing):
            with conn.transaction():
                standing = ledger.open_ledger(conn)
                report = _plan(standing, tree, this, older)
                if report.changed or _is_newer(this, standing):
                    ledger.record_release(conn, this)
                if report.changed:
                    conn.execute(SETTINGS)
                    _apply_plan(conn, tree, standing, this)
                    report = replace(report, kept=ledger.kept_settings(conn))
        missing = logins.admit(conn, service) if service is not None else ()
        return replace(report, warnings=(*known_faults(conn), *missing))


def _is_newer(this: Release, standing: Ledger) -> bool:
    return standing.release is not None and standing.release.is_older_than(this)


def _plan(standing: Ledger, tree: Tree, this: Release, older: Older) -> Report:
    release.refuse_missing(this, tree, standing)
    report = Report(
        migrations=_paths(standing.pending(tree)),
        code=_paths(standing.changed(tree.code)),
        policies=_paths(standing.changed(tree.policies)),
        removed=standing.gone(tree),
    )
    # Grants run after any change, even when their own file has not changed.
    if not report.changed and not standing.changed(tree.grants):
        return report
    if standing.release is not None and release.leaves(this, standing.release, older):
        left = f"release {standing.release.version} has deployed this database"
        return Report(kept=(f"kept: {left}, and this is release {this.version}",))
    return replace(report, grants=_paths(tree.grants))


def _apply_plan(conn: Connection, tree: Tree, standing: Ledger, this: Release) -> None:
    pending, gone = standing.pending(tree), standing.gone(tree)
    changed = standing.changed(tree.code)
    if pending or gone or changed:
        _migrate(conn, pending, this)
        # A migration may change what functions and views read of tables when they are created.
        rebuild.create(conn, tree.code, tree.code if pending else changed)
        rebuild.refuse_stale(conn, tree.code, gone)
    for file in standing.changed(tree.policies):
        apply(conn, file)
    rebuild.revoke(conn)
    for file in tree.grants:
        apply(conn, file)
    ledger.record_applied(conn, (*tree.code, *tree.policies, *tree.grants), gone)


def _migrate(conn: Connection, pending: tuple[SqlFile, ...], this: Release) -> None:
    """Run migrations, where necessary after dropping the functions and views in their way.

    Additive ones mostly need none of that, so that the service goes on calling what stays.
    """
    if all(file.is_additive for file in pending):
        try:
            with conn.transaction():
                _run(conn, pending, this)
        except DeployError as error:
            if _state(error) not in IN_USE:
                raise
        else:
            return
    rebuild.drop(conn)
    _run(conn, pending, this)


def _run(conn: Connection, pending: tuple[SqlFile, ...], this: Release) -> None:
    for file in pending:
        ledger.record_migration(conn, file, this)
        apply(conn, file)


def _paths(files: tuple[SqlFile, ...]) -> tuple[str, ...]:
    return tuple(file.path for file in files)
