"""Schema deploy: what has been applied to this database, by the digest of each file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from psycopg import Connection

from supervisor_mcp.deploy.errors import DeployError
from supervisor_mcp.deploy.release import Release
from supervisor_mcp.deploy.tree import SqlFile, Tree

# The key is hashed from a name of our own, so that it meets no other program's advisory lock.
LOCK = "select pg_advisory_xact_lock(hashtextextended('supervisor-mcp deploy', 0))"

# Asked first, because reading a table that is not there would be an error in the server's log.
EXISTS = "select to_regclass('deploy.release') is not null"
KNOWS_GRANTS = "select to_regprocedure('internal.lost_grants()') is not null"

CREATE = """
create schema if not exists deploy;
comment on schema deploy is 'Ledger of what the deployer has applied.';
create table if not exists deploy.release (
    release_id bigint generated always as identity,
    version text not null,
    sha256 text not null,
    deployed_at timestamptz not null default now(),
    deployed_by text not null default current_user,
    constraint release_pkey primary key (release_id),
    constraint release_sha256_well_formed check (sha256 ~ '^[0-9a-f]{64}$')
);
comment on table deploy.release is 'Releases that were deployed; the last one is the current one.';
comment on column deploy.release.release_id is 'Number of the deploy.';
comment on column deploy.release.version is 'Version of the package.';
comment on column deploy.release.sha256 is 'Digest of all files in sql/.';
comment on column deploy.release.deployed_at is 'When it was deployed.';
comment on column deploy.release.deployed_by is 'Role that deployed it.';
create table if not exists deploy.migration (
    name text not null,
    sha256 text not null,
    additive boolean not null,
    version text not null,
    applied_at timestamptz not null default now(),
    applied_by text not null default current_user,
    constraint migration_once primary key (name),
    constraint migration_sha256_well_formed check (sha256 ~ '^[0-9a-f]{64}$')
);
comment on table deploy.migration is 'Migrations that have run, each once.';
comment on column deploy.migration.name is 'File name in sql/migrations.';
comment on column deploy.migration.sha256 is 'Digest of the file; an edited one is refused.';
comment on column deploy.migration.additive is
'Whether releases that lack the migration can work with its result.';
comment on column deploy.migration.version is 'Version of the package that ran it.';
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
create table if not exists deploy.setting (
    relation text not null,
    policy text not null,
    setting text not null,
    value jsonb not null,
    local_value jsonb,
    shipped_at timestamptz not null,
    constraint setting_once primary key (relation, policy, setting)
);
comment on table deploy.setting is 'Settings of policies and jobs as last shipped.';
comment on column deploy.setting.relation is 'Relation or procedure, as in ops.policies.';
comment on column deploy.setting.policy is 'Policy, as in ops.policies.';
comment on column deploy.setting.setting is 'schedule_interval, or a key of the config.';
comment on column deploy.setting.value is
'Value that the last release shipped; a later release changes a setting that has it.';
comment on column deploy.setting.local_value is
'Value set here, which that release kept; JSON null where the policy was removed here.';
comment on column deploy.setting.shipped_at is 'When it was shipped.';
create table if not exists deploy.import_file (
    export_id uuid not null,
    file text not null,
    rows bigint not null,
    imported_at timestamptz,
    constraint import_file_once primary key (export_id, file)
);
comment on table deploy.import_file is 'Files of exports that were imported, each with its rows.';
comment on column deploy.import_file.export_id is 'Export, as its manifest says.';
comment on column deploy.import_file.file is 'Name of the file; manifest.json is the whole export.';
comment on column deploy.import_file.rows is 'Number of its rows.';
comment on column deploy.import_file.imported_at is
'When it was imported; null for an export that is not complete yet.';
"""

# What was dropped by hand counts as not applied, so that the next deploy creates it again.
READ = """
select 'migration', name, sha256, additive, version from deploy.migration
union all
select 'file', path, sha256, null, null
from deploy.applied
cross join lateral (
    select split_part(path, '/', 2) as schema, split_part(path, '/', 3) as name
) as file
where
    path !~ '^(functions|views)/'
    or to_regclass(format('%I.%I', schema, left(name, -4))) is not null
    or exists (
        select from pg_proc
        where pronamespace = to_regnamespace(quote_ident(schema)) and proname = left(name, -4)
    )
union all
(select 'release', '', sha256, null, version from deploy.release order by release_id desc limit 1)
"""

# The same holds for grants that a role has lost.
READ_LOST = "select 'lost', '', null, null, null where exists (select from internal.lost_grants())"

RECORD = """
insert into deploy.applied (path, sha256)
select path, sha256
from unnest(%(paths)s::text[], %(digests)s::text[]) as file (path, sha256)
on conflict (path) do update
    set sha256 = excluded.sha256, applied_at = excluded.applied_at
    where applied.sha256 <> excluded.sha256
"""

# The time of the transaction tells what this deploy has shipped from what earlier ones have.
KEPT = """
select distinct
    case local_value
        when 'null' then format('left %s %s removed, as it was here', relation, policy)
        else format(
            'kept %s %s %s %s, set here; this release ships %s',
            relation, policy, setting, local_value #>> '{}', value #>> '{}'
        )
    end
from deploy.setting
where shipped_at = now() and local_value is not null
order by 1
"""


@dataclass(frozen=True)
class Ran:
    """A migration that has run: its digest, and the release that ran it."""

    sha256: str
    additive: bool
    version: str


@dataclass(frozen=True)
class Ledger:
    """What was applied: migrations by name, the digests of the rest by path, the last release."""

    migrations: dict[str, Ran] = field(default_factory=dict)
    applied: dict[str, str] = field(default_factory=dict)
    release: Release | None = None

    def pending(self, tree: Tree) -> tuple[SqlFile, ...]:
        """Find the migrations still to run.

        Raises DeployError when one that has run was edited since.
        """
        for file in tree.migrations:
            ran = self.migrations.get(file.name)
            if ran is not None and ran.sha256 != file.sha256:
                raise DeployError(
                    f"{file.path} was edited after it ran here:"
                    " restore it and put the change into a new migration"
                )
        return tuple(file for file in tree.migrations if file.name not in self.migrations)

    def missing(self, tree: Tree) -> dict[str, Ran]:
        """Find the migrations that have run and are not in the tree."""
        names = {file.name for file in tree.migrations}
        return {name: ran for name, ran in self.migrations.items() if name not in names}

    def changed(self, files: Iterable[SqlFile]) -> tuple[SqlFile, ...]:
        """Find the files that differ from what was last applied."""
        return tuple(file for file in files if self.applied.get(file.path) != file.sha256)

    def gone(self, tree: Tree) -> tuple[str, ...]:
        """Find the paths that were applied and whose files no longer exist."""
        standing = {file.path for file in (*tree.code, *tree.policies, *tree.grants)}
        return tuple(sorted(self.applied.keys() - standing))


def read(conn: Connection) -> Ledger:
    """Read the ledger; empty where there is none yet."""
    if conn.execute(EXISTS).fetchone() == (False,):
        return Ledger()
    knows_grants = conn.execute(KNOWS_GRANTS).fetchone() == (True,)
    question = f"{READ} union all {READ_LOST}" if knows_grants else READ
    migrations, applied, release = {}, {}, None
    for entry, name, digest, additive, version in conn.execute(question):
        if entry == "migration":
            migrations[name] = Ran(digest, additive, version)
        elif entry == "file":
            applied[name] = digest
        elif entry == "lost":
            applied.pop("grants.sql", None)
        else:
            release = Release(version, digest)
    return Ledger(migrations, applied, release)


def open_ledger(conn: Connection) -> Ledger:
    """Wait for other deploys, then create the ledger where there is none, and read it.

    The lock is held to the end of the transaction, which must be open.
    """
    conn.execute(LOCK)
    if conn.execute(EXISTS).fetchone() == (False,):
        conn.execute(CREATE)
    return read(conn)


def record_release(conn: Connection, release: Release) -> None:
    """Write the row of a release that is about to be deployed in this transaction."""
    conn.execute(
        "insert into deploy.release (version, sha256) values (%s, %s)",
        (release.version, release.sha256),
    )


def record_migration(conn: Connection, file: SqlFile, release: Release) -> None:
    """Write the row of a migration that is about to run in this transaction."""
    conn.execute(
        "insert into deploy.migration (name, sha256, additive, version) values (%s, %s, %s, %s)",
        (file.name, file.sha256, file.is_additive, release.version),
    )


def record_applied(conn: Connection, files: Iterable[SqlFile], gone: Iterable[str]) -> None:
    """Write the rows of what was applied and remove those of files that no longer exist."""
    digests = {file.path: file.sha256 for file in files}
    conn.execute(RECORD, {"paths": list(digests), "digests": list(digests.values())})
    conn.execute("delete from deploy.applied where path = any(%s)", (list(gone),))


def kept_settings(conn: Connection) -> tuple[str, ...]:
    """Say which settings this transaction shipped and left as they were here."""
    return tuple(kept for (kept,) in conn.execute(KEPT))
