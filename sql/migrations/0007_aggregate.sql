-- Snapshots of computed aggregates.

create table data.aggregate (
    kind_id bigint not null,
    window_name text not null,
    minute timestamptz not null,
    computed_at timestamptz not null,
    answer json not null,
    constraint aggregate_once_a_minute primary key (kind_id, window_name, minute),
    constraint window_well_formed check (internal.fits(window_name, 'window')),
    constraint aggregate_near_its_minute check (
        minute - date_trunc('minute', computed_at, 'UTC') in (interval '0', interval '1 minute')
    )
);
select
    create_hypertable(
        'data.aggregate', by_range('minute', interval '7 days'), create_default_indexes => false
    );
alter table data.aggregate set (
    timescaledb.enable_columnstore,
    timescaledb.segmentby = 'kind_id, window_name',
    timescaledb.orderby = 'minute'
);
comment on table data.aggregate is
'Snapshots: aggregates of a kind and window as computed at a time. A row is valid until the next one:
an answer with the statistics of the row before it is not stored.';
comment on column data.aggregate.kind_id is 'Kind.';
comment on column data.aggregate.window_name is 'Window: 7d, 30d and so on.';
comment on column data.aggregate.minute is
'Minute of the computation, or the next one where an earlier answer has it.';
comment on column data.aggregate.computed_at is 'Time of the computation.';
comment on column data.aggregate.answer is 'The answer of /query/agg.';
