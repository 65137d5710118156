"""The deploy: migrations, functions and views, policies, grants; one transaction, one lock."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import Connection

from supervisor_mcp.deploy import ledger, rebuild
from supervisor_mcp.deploy.apply import apply
from supervisor_mcp.deploy.ledger import Ledger
from supervisor_mcp.deploy.tree import SqlFile, Tree, read_tree

# Files name every object with its schema; TimescaleDB's functions are in public. The role's or
# the database's own settings must not decide what a name or a timestamp in a file means.
SETTINGS = "set local search_path = public; set local timezone = 'UTC'"


@dataclass(frozen=True)
class Report:
    """What a deploy did: paths below sql/, each tuple empty when there was nothing to do.

    `code` holds the functions and views that changed; all of them were created again when it,
    `removed` or `migrations` is not empty.
    """

    migrations: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    grants: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether anything was done."""
        return any((self.migrations, self.code, self.policies, self.grants, self.removed))

    def __str__(self) -> str:
        """One line per file, or that nothing was to do."""
        done = [f"applied {path}" for path in (*self.migrations, *self.code)]
        done += [f"applied {path}" for path in (*self.policies, *self.grants)]
        done += [f"no longer in sql/: {path}" for path in self.removed]
        return "\n".join(done) or "nothing to do"


def deploy(conninfo: str, sql_dir: Path) -> Report:
    """Bring the database at `conninfo` up to date with `sql_dir`, or leave it unchanged.

    Deploys of one database at the same time wait for each other; nothing to do costs one round
    trip. Raises DeployError when the files are refused, psycopg.Error when the server cannot be
    reached.
    """
    tree = read_tree(sql_dir)
    # No prepared statements: between transactions the session may be another one (PgBouncer).
    with psycopg.connect(conninfo, autocommit=True, prepare_threshold=None) as conn:
        if not _plan(ledger.read(conn), tree).changed:
            return Report()
        with conn.transaction():
            standing = ledger.open_ledger(conn)
            report = _plan(standing, tree)
            if report.changed:
                conn.execute(SETTINGS)
                _apply_plan(conn, tree, standing)
            return report


def _plan(standing: Ledger, tree: Tree) -> Report:
    report = Report(
        migrations=_paths(standing.pending(tree)),
        code=_paths(standing.changed(tree.code)),
        policies=_paths(standing.changed(tree.policies)),
        removed=standing.gone(tree),
    )
    # Grants run after any change, even when their own file has not changed.
    applies = report.changed or standing.changed(tree.grants)
    return Report(**{**vars(report), "grants": _paths(tree.grants) if applies else ()})


def _apply_plan(conn: Connection, tree: Tree, standing: Ledger) -> None:
    pending, gone = standing.pending(tree), standing.gone(tree)
    if pending or gone or standing.changed(tree.code):
        # Before the migrations, so that no view or function blocks an `alter table`.
        rebuild.drop(conn)
        for file in pending:
            ledger.record_migration(conn, file)
            apply(conn, file)
        # After them, so that what is left does not depend on which of them ran today.
        rebuild.drop(conn)
        rebuild.create(conn, tree.code)
        rebuild.refuse_stale(conn, tree.code, gone)
    for file in (*standing.changed(tree.policies), *tree.grants):
        apply(conn, file)
    ledger.record_applied(conn, (*tree.code, *tree.policies, *tree.grants), gone)


def _paths(files: tuple[SqlFile, ...]) -> tuple[str, ...]:
    return tuple(file.path for file in files)
