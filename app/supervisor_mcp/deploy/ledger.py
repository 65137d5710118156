"""Schema deploy: what has been applied to this database, by the digest of each file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import psycopg
from psycopg import Connection

from supervisor_mcp.deploy.errors import DeployError
from supervisor_mcp.deploy.tree import SqlFile, Tree

# The key is hashed from a name of our own, so that it meets no other program's advisory lock.
LOCK = "select pg_advisory_xact_lock(hashtextextended('supervisor-mcp deploy', 0))"

CREATE = """
create schema if not exists deploy;
comment on schema deploy is 'Ledger of what the deployer has applied.';
create table if not exists deploy.migration (
    name text not null,
    sha256 text not null,
    applied_at timestamptz not null default now(),
    applied_by text not null default current_user,
    constraint migration_once primary key (name),
    constraint migration_sha256_well_formed check (sha256 ~ '^[0-9a-f]{64}$')
);
comment on table deploy.migration is 'Migrations that have run, each once.';
comment on column deploy.migration.name is 'File name in sql/migrations.';
comment on column deploy.migration.sha256 is 'Digest of the file; an edited one is refused.';
comment on column deploy.migration.applied_at is 'When it ran.';
comment on column deploy.migration.applied_by is 'Role that ran it.';
create table if not exists deploy.applied (
    path text not null,
    sha256 text not null,
    applied_at timestamptz not null default now(),
    constraint applied_once primary key (path),
    constraint applied_sha256_well_formed check (sha256 ~ '^[0-9a-f]{64}$')
);
comment on table deploy.applied is 'Functions, views, policies and grants as last applied.';
comment on column deploy.applied.path is 'File below sql/.';
comment on column deploy.applied.sha256 is 'Digest of the file; a changed one is applied again.';
comment on column deploy.applied.applied_at is 'When this version of the file was applied.';
"""

READ = """
select true, name, sha256 from deploy.migration
union all
select false, path, sha256 from deploy.applied
"""

RECORD = """
insert into deploy.applied (path, sha256)
select path, sha256
from unnest(%(paths)s::text[], %(digests)s::text[]) as file (path, sha256)
on conflict (path) do update
    set sha256 = excluded.sha256, applied_at = excluded.applied_at
    where applied.sha256 <> excluded.sha256
"""


@dataclass(frozen=True)
class Ledger:
    """Digests of what was applied: migrations by name, the rest by path."""

    migrations: dict[str, str]
    applied: dict[str, str]

    def pending(self, tree: Tree) -> tuple[SqlFile, ...]:
        """Find the migrations still to run.

        Raises DeployError when one that has run is missing from the tree or was edited since.
        """
        files = {file.name: file for file in tree.migrations}
        for name, digest in self.migrations.items():
            if name not in files:
                raise DeployError(
                    f"migrations/{name} has run here but is missing from sql/:"
                    " deploy the release that holds it, or a newer one"
                )
            if files[name].sha256 != digest:
                raise DeployError(
                    f"migrations/{name} was edited after it ran here:"
                    " restore it and put the change into a new migration"
                )
        return tuple(file for file in tree.migrations if file.name not in self.migrations)

    def changed(self, files: Iterable[SqlFile]) -> tuple[SqlFile, ...]:
        """Find the files that differ from what was last applied."""
        return tuple(file for file in files if self.applied.get(file.path) != file.sha256)

    def gone(self, tree: Tree) -> tuple[str, ...]:
        """Find the paths that were applied and whose files no longer exist."""
        standing = {file.path for file in (*tree.code, *tree.policies, *tree.grants)}
        return tuple(sorted(self.applied.keys() - standing))


def read(conn: Connection) -> Ledger:
    """Read the ledger in one round trip; empty where there is none yet."""
    ledger = Ledger({}, {})
    try:
        rows = conn.execute(READ).fetchall()
    except psycopg.errors.UndefinedTable:
        return ledger
    for is_migration, name, digest in rows:
        (ledger.migrations if is_migration else ledger.applied)[name] = digest
    return ledger


def open_ledger(conn: Connection) -> Ledger:
    """Wait for other deploys, then create the ledger where there is none, and read it.

    The lock is held to the end of the transaction, which must be open.
    """
    conn.execute(LOCK)
    if conn.execute("select to_regclass('deploy.applied')").fetchone() == (None,):
        conn.execute(CREATE)
    return read(conn)


def record_migration(conn: Connection, file: SqlFile) -> None:
    """Write the row of a migration that is about to run in this transaction."""
    conn.execute(
        "insert into deploy.migration (name, sha256) values (%s, %s)", (file.name, file.sha256)
    )


def record_applied(conn: Connection, files: Iterable[SqlFile], gone: Iterable[str]) -> None:
    """Write the rows of what was applied and remove those of files that no longer exist."""
    digests = {file.path: file.sha256 for file in files}
    conn.execute(RECORD, {"paths": list(digests), "digests": list(digests.values())})
    conn.execute("delete from deploy.applied where path = any(%s)", (list(gone),))
