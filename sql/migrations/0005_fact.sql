-- Facts: business events, each one once.

create table data.fact_identity (
    source_id integer not null,
    fact_id text not null,
    seq bigint generated always as identity,
    digest bigint not null,
    ts timestamptz not null,
    constraint fact_once primary key (source_id, fact_id),
    constraint fact_id_well_formed check (length(fact_id) between 1 and 200 and fact_id !~ '[[:cntrl:]]')
);
create index fact_identity_by_ts on data.fact_identity (ts);
comment on table data.fact_identity is
'Which facts a source has sent: a hypertable''s unique key would have to contain the time.';
comment on column data.fact_identity.source_id is 'Source of the fact.';
comment on column data.fact_identity.fact_id is 'Name the source gave it, or a digest of it.';
comment on column data.fact_identity.seq is 'Number of the fact, in the order of arrival.';
comment on column data.fact_identity.digest is 'Digest of the content: a retry has the same.';
comment on column data.fact_identity.ts is 'Instant of the fact, for pruning.';

create table data.fact (
    series_id integer not null,
    ts timestamptz not null,
    seq bigint not null,
    fact_id text not null,
    subject text,
    value double precision,
    payload jsonb not null,
    received_at timestamptz not null,
    constraint fact_value_in_range check (abs(value) <= double precision '1e140'),
    constraint fact_payload_is_object check (jsonb_typeof(payload) = 'object')
);
select create_hypertable('data.fact', by_range('ts', interval '7 days'), create_default_indexes => false);
create index fact_by_time on data.fact (ts, seq);
create index fact_by_series on data.fact (series_id, ts, seq);
create index fact_by_subject on data.fact (subject, ts);
alter table data.fact set (
    timescaledb.enable_columnstore,
    timescaledb.segmentby = 'series_id',
    timescaledb.orderby = 'ts, seq'
);
comment on table data.fact is
'A business event. It also leaves a sample in the series of its kind and source.';
comment on column data.fact.series_id is 'Series of its kind and source.';
comment on column data.fact.ts is 'Instant of the event.';
comment on column data.fact.seq is 'Number of the fact, in the order of arrival.';
comment on column data.fact.fact_id is 'Name the source gave it, or a digest of it.';
comment on column data.fact.subject is 'What the event is about.';
comment on column data.fact.value is 'Number that the event carries.';
comment on column data.fact.payload is 'Anything else that the source said.';
comment on column data.fact.received_at is 'When it was stored.';
