-- Snapshots that somebody named: all kinds over a window, frozen.

create table data.every_snapshot (
    snapshot_id bigint generated always as identity,
    name text not null,
    window_name text not null,
    begins_at timestamptz not null,
    ends_at timestamptz not null,
    kinds integer not null,
    -- Bytes, not JSON: what was hashed is what is answered, whatever becomes of types and encodings.
    content bytea not null,
    -- Computed here, so that no snapshot can have the hash of another content.
    sha256 bytea not null generated always as (sha256(content)) stored,
    author text not null,
    created_at timestamptz not null,
    namespace text not null default internal.namespace(),
    constraint namespace_well_formed check (internal.fits(namespace, 'namespace')),
    constraint snapshot_pkey primary key (snapshot_id),
    constraint snapshot_name_taken unique (namespace, name),
    constraint snapshot_name_well_formed check (internal.fits(name, 'identifier')),
    constraint window_well_formed check (internal.fits(window_name, 'window')),
    constraint author_well_formed check (internal.fits(author, 'owner'))
);
comment on table data.every_snapshot is
'Answers about all kinds over a window that somebody froze under a name. Rows are never changed.';
comment on column data.every_snapshot.snapshot_id is 'Number of the snapshot.';
comment on column data.every_snapshot.name is 'Name that its author chose.';
comment on column data.every_snapshot.window_name is 'Window: 7d, 30d and so on.';
comment on column data.every_snapshot.begins_at is 'Start of the window.';
comment on column data.every_snapshot.ends_at is 'End of the window: when it was frozen.';
comment on column data.every_snapshot.kinds is 'Number of kinds in the content.';
comment on column data.every_snapshot.content is 'The answer of query_agg, in UTF-8.';
comment on column data.every_snapshot.sha256 is 'SHA-256 of the content.';
comment on column data.every_snapshot.author is 'Who froze it.';
comment on column data.every_snapshot.created_at is 'When it was frozen.';
comment on column data.every_snapshot.namespace is 'Namespace; empty for the default one.';

create view data.snapshot with (check_option = cascaded) as
select
    snapshot_id,
    name,
    window_name,
    begins_at,
    ends_at,
    kinds,
    content,
    sha256,
    author,
    created_at,
    namespace
from data.every_snapshot
where namespace = coalesce(current_setting('supervisor.namespace', true), '');
comment on view data.snapshot is 'The snapshots of the namespace that the transaction works in.';

insert into data.quota (name, value, used) values
('snapshots', 1000, null);
