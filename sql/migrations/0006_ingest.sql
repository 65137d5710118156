-- What ingest keeps beside the data: late hours, conflicts, receipts.

create table data.late (
    late_id bigint generated always as identity,
    kind_id integer not null,
    bucket timestamptz not null,
    samples integer not null,
    constraint late_pkey primary key (late_id),
    constraint late_of_kind foreign key (kind_id) references data.kind
);
create index late_by_kind on data.late (kind_id, bucket);
comment on table data.late is
'Hours that got samples after they were rolled up; read from raw until refreshed.';
comment on column data.late.late_id is 'Number of the entry.';
comment on column data.late.kind_id is 'Kind of the samples.';
comment on column data.late.bucket is 'Start of the hour.';
comment on column data.late.samples is 'Samples that came late.';

create table data.conflict (
    received_at timestamptz not null,
    kind_id integer not null,
    source_id integer not null,
    ts timestamptz not null,
    item jsonb not null
);
select create_hypertable('data.conflict', by_range('received_at', interval '30 days'));
comment on table data.conflict is
'Items whose identity was already stored with other content: kept apart, not counted.';
comment on column data.conflict.received_at is 'When the item came.';
comment on column data.conflict.kind_id is 'Kind of the item.';
comment on column data.conflict.source_id is 'Source of the item.';
comment on column data.conflict.ts is 'Instant of the item.';
comment on column data.conflict.item is 'The item as it came.';

create table data.receipt (
    operation text not null,
    idempotency_key text not null,
    digest bytea not null,
    answer json,
    kinds text[],
    received_at timestamptz not null,
    constraint receipt_once primary key (operation, idempotency_key),
    constraint receipt_key_well_formed check (
        length(idempotency_key) between 1 and 200 and idempotency_key !~ '[^[:graph:]]'
    )
);
create index receipt_by_time on data.receipt (received_at);
comment on table data.receipt is
'Answers to requests that carried an Idempotency-Key; a repeated request gets the first one.';
comment on column data.receipt.operation is 'Operation that was called.';
comment on column data.receipt.idempotency_key is 'Key that the client chose.';
comment on column data.receipt.digest is 'SHA-256 of the request body.';
comment on column data.receipt.answer is 'The answer that was given.';
comment on column data.receipt.kinds is 'Kinds that the request touched.';
comment on column data.receipt.received_at is 'When the request came.';
