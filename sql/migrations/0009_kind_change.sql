-- Which kinds an ingest has changed, for caches to compare with what their answers have seen.

create table data.kind_change (
    xid xid8 not null default pg_current_xact_id(),
    kind_id bigint not null,
    changed_at timestamptz not null default now()
);
-- Dropping a chunk leaves nothing for vacuum to collect, which never runs on the embedded server.
select
    create_hypertable(
        'data.kind_change', by_range('changed_at', interval '1 hour'), create_default_indexes => false
    );
create index kind_change_by_xid on data.kind_change (xid);
comment on table data.kind_change is
'Kinds that transactions changed, kept for an hour. A log, so that ingests of one kind do not wait for
each other as they would for a version in a row per kind.';
comment on column data.kind_change.xid is 'Transaction; not in the order of commits.';
comment on column data.kind_change.kind_id is 'Kind that the transaction added to.';
comment on column data.kind_change.changed_at is 'Start of the transaction, for dropping.';
