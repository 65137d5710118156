-- What ingest keeps beside the data: late hours, conflicts, idempotency keys.

create table data.late_hour (
    late_hour_id bigint generated always as identity,
    kind_id bigint not null,
    bucket timestamptz not null,
    samples integer not null,
    noted_at timestamptz not null default now(),
    constraint late_hour_pkey primary key (late_hour_id),
    constraint late_hour_of_kind foreign key (kind_id) references data.every_kind
);
create index late_hour_by_kind on data.late_hour (kind_id, bucket);
comment on table data.late_hour is
'Hours that got samples which a refresh may have missed, or whose samples somebody changed or deleted; read
from samples until refreshed.';
comment on column data.late_hour.late_hour_id is 'Number of the entry.';
comment on column data.late_hour.kind_id is 'Kind of the samples.';
comment on column data.late_hour.bucket is 'Start of the hour.';
comment on column data.late_hour.samples is
'Number of such samples; 0 where somebody changed or deleted some.';
comment on column data.late_hour.noted_at is 'When they were noted.';

create table data.conflict (
    source_id bigint not null,
    kind_id bigint not null,
    digest bigint not null,
    ts timestamptz not null,
    item jsonb not null,
    first_received_at timestamptz not null,
    last_received_at timestamptz not null,
    attempts integer not null,
    constraint conflict_once primary key (source_id, kind_id, digest)
);
comment on table data.conflict is
'Items whose identity is already stored with other content; aggregates do not include them.';
comment on column data.conflict.source_id is 'Source of the item.';
comment on column data.conflict.kind_id is 'Kind of the item.';
comment on column data.conflict.digest is
'Digest of the item; equal for a retry, also with other key order, number format or time zone.';
comment on column data.conflict.ts is 'Time of the item, when it was received first.';
comment on column data.conflict.item is 'The item as sent first.';
comment on column data.conflict.first_received_at is 'Time of the first request with the item.';
comment on column data.conflict.last_received_at is 'Time of the last request with the item.';
comment on column data.conflict.attempts is 'How often the item was sent.';

create table data.every_idempotency_key (
    operation text not null,
    actor text not null,
    key text not null,
    body_digest bytea not null,
    answer json,
    kinds text[],
    received_at timestamptz not null,
    namespace text not null default internal.namespace(),
    constraint namespace_well_formed check (internal.fits(namespace, 'namespace')),
    constraint idempotency_key_once primary key (namespace, operation, actor, key),
    constraint idempotency_key_well_formed check (internal.fits(key, 'idempotency_key'))
);
create index idempotency_key_by_time on data.every_idempotency_key (received_at);
comment on table data.every_idempotency_key is
'Requests that had an Idempotency-Key; a repeated request gets the first answer.';
comment on column data.every_idempotency_key.operation is 'Operation that was called.';
comment on column data.every_idempotency_key.actor is 'Who called it; the key of another one is another key.';
comment on column data.every_idempotency_key.key is 'Key that the client chose.';
comment on column data.every_idempotency_key.body_digest is 'SHA-256 of the request body.';
comment on column data.every_idempotency_key.answer is 'First answer; null until the request is done.';
comment on column data.every_idempotency_key.kinds is 'Kinds for which the request stored something.';
comment on column data.every_idempotency_key.received_at is 'Time of the request.';
comment on column data.every_idempotency_key.namespace is 'Namespace; empty for the default one.';

create view data.idempotency_key with (check_option = cascaded) as
select
    operation,
    actor,
    key,
    body_digest,
    answer,
    kinds,
    received_at,
    namespace
from data.every_idempotency_key
where namespace = coalesce(current_setting('supervisor.namespace', true), '');
comment on view data.idempotency_key is
'The Idempotency-Keys of the namespace that the transaction works in.';
