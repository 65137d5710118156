-- Proof: buckets of rollups, computed again from samples.

create table data.proof (
    proof_id bigint generated always as identity,
    rollup name not null,
    bucket timestamptz not null,
    kind_id bigint,
    series_id bigint,
    expected jsonb,
    found jsonb,
    matches boolean not null,
    checked_at timestamptz not null,
    constraint proof_pkey primary key (proof_id)
);
create index proof_by_time on data.proof (checked_at);
comment on table data.proof is
'Buckets of rollups that were computed again from samples. A bucket that matches has one row, without a kind;
any other has one for each kind or series that differs, at most 100.';
comment on column data.proof.proof_id is 'Number of the row.';
comment on column data.proof.rollup is 'Rollup, such as sample_1h.';
comment on column data.proof.bucket is 'Start of the bucket.';
comment on column data.proof.kind_id is 'Kind that differs; null where all match.';
comment on column data.proof.series_id is
'Series that differs; null where all match, and for rollups by kind.';
comment on column data.proof.expected is
'What the samples say; null where there are none. Where all match, {rows, observations}.';
comment on column data.proof.found is 'What the rollup says; null where it has no such row.';
comment on column data.proof.matches is 'Whether all of the bucket match.';
comment on column data.proof.checked_at is 'When it was computed again.';
