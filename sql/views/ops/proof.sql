create or replace view ops.proof as
select
    proof.bucket,
    'data.' || proof.rollup as relation,
    kind.namespace,
    kind.name as kind,
    proof.series_id,
    proof.expected,
    proof.found,
    proof.matches,
    proof.checked_at
from data.proof
left join data.every_kind as kind on proof.kind_id = kind.kind_id;
comment on view ops.proof is
'Buckets of rollups that were computed again from samples. One that matches has one row, without a kind; any
other has one for each kind or series that differs, at most 100.';
comment on column ops.proof.bucket is 'Start of the bucket.';
comment on column ops.proof.relation is 'Rollup.';
comment on column ops.proof.namespace is 'Namespace of the kind; empty for the default one.';
comment on column ops.proof.kind is 'Kind that differs; null where all match.';
comment on column ops.proof.series_id is
'Series that differs; null where all match, and for rollups by kind.';
comment on column ops.proof.expected is
'What the samples say; null where there are none. Where all match, {rows, observations}.';
comment on column ops.proof.found is 'What the rollup says; null where it has no such row.';
comment on column ops.proof.matches is 'Whether all of the bucket match.';
comment on column ops.proof.checked_at is 'When it was computed again.';
