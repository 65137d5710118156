-- Facts: business events, each stored once.

create table data.fact_identity (
    source_id bigint not null,
    fact_id text not null,
    seq bigint generated always as identity,
    digest bigint not null,
    ts timestamptz not null,
    series_id bigint not null,
    change bigint not null default pg_current_xact_id()::text::bigint,
    constraint fact_once primary key (source_id, fact_id),
    constraint fact_id_well_formed check (internal.fits(fact_id, 'fact_id'))
);
create index fact_identity_by_time on data.fact_identity (ts);
create index fact_identity_by_change on data.fact_identity (change, seq);
comment on table data.fact_identity is
'Identities of facts. A separate table: a unique key of a hypertable must contain the time.';
comment on column data.fact_identity.source_id is 'Source of the fact.';
comment on column data.fact_identity.fact_id is 'Name from the source, or a digest of the content.';
comment on column data.fact_identity.seq is 'Number of the fact, in order of arrival.';
comment on column data.fact_identity.digest is 'Digest of the content; equal for a retry.';
comment on column data.fact_identity.ts is 'Time of the fact, to find it and for pruning.';
comment on column data.fact_identity.series_id is 'Series of the fact, to find it.';
comment on column data.fact_identity.change is 'Transaction, for readers that follow the table.';

create table data.fact (
    series_id bigint not null,
    ts timestamptz not null,
    seq bigint not null,
    fact_id text not null,
    subject text,
    value double precision,
    payload jsonb not null,
    received_at timestamptz not null,
    constraint subject_well_formed check (length(subject) between 1 and 500),
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
'A business event. It also adds a sample to the series of its kind and source.';
comment on column data.fact.series_id is 'Series of its kind and source.';
comment on column data.fact.ts is 'Time of the event.';
comment on column data.fact.seq is 'Number of the fact, in order of arrival.';
comment on column data.fact.fact_id is 'Name from the source, or a digest of the content.';
comment on column data.fact.subject is 'Subject of the event.';
comment on column data.fact.value is 'Number that belongs to the event.';
comment on column data.fact.payload is 'Further content of the event.';
comment on column data.fact.received_at is 'Time at which it was stored.';
