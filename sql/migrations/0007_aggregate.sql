-- Snapshots of computed aggregates.

create table data.aggregate (
    kind_id bigint not null,
    window_name text not null,
    computed_at timestamptz not null,
    answer json not null
);
select
    create_hypertable(
        'data.aggregate', by_range('computed_at', interval '7 days'), create_default_indexes => false
    );
create index aggregate_by_kind on data.aggregate (kind_id, window_name, computed_at desc);
comment on table data.aggregate is
'Snapshots: aggregates of a kind and window as computed at a time.';
comment on column data.aggregate.kind_id is 'Kind.';
comment on column data.aggregate.window_name is 'Window: 7d, 30d and so on.';
comment on column data.aggregate.computed_at is 'Time of the computation.';
comment on column data.aggregate.answer is 'The answer of /query/agg.';
