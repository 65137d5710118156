-- Restatements: what late samples have changed in what was rolled up.

create table data.aggregate_restatement (
    restatement_id bigint generated always as identity,
    kind_id bigint not null,
    during tstzrange not null,
    noted_at timestamptz not null,
    restated_at timestamptz,
    late_samples bigint,
    before jsonb not null,
    after jsonb,
    constraint aggregate_restatement_pkey primary key (restatement_id),
    constraint during_bounded check (
        not isempty(during) and not lower_inf(during) and not upper_inf(during)
    ),
    constraint restated_whole check (num_nulls(restated_at, late_samples, after) in (0, 3))
);
create index aggregate_restatement_open on data.aggregate_restatement (kind_id) where restated_at is null;
create index aggregate_restatement_by_time on data.aggregate_restatement (restated_at);
comment on table data.aggregate_restatement is
'Stretches of hours of a kind whose rollups late samples have changed. Written before the refresh, so that
an interrupted one is restated when it is repeated, and completed after it.';
comment on column data.aggregate_restatement.restatement_id is 'Number of the restatement.';
comment on column data.aggregate_restatement.kind_id is 'Kind.';
comment on column data.aggregate_restatement.during is 'The hours.';
comment on column data.aggregate_restatement.noted_at is 'When the first of the late samples was stored.';
comment on column data.aggregate_restatement.restated_at is
'When the hours were refreshed; null until then.';
comment on column data.aggregate_restatement.late_samples is 'Number of late samples.';
comment on column data.aggregate_restatement.before is
'What was rolled up before: {count, sum, min, max}; null where there was no value.';
comment on column data.aggregate_restatement.after is 'What was rolled up afterwards.';
