create or replace view analytics.restatements
with (security_barrier) as
select
    kind.namespace,
    kind.name as kind,
    lower(restatement.during) as begins_at,
    upper(restatement.during) as ends_at,
    case when restatement.late_samples > 0 then 'late_samples' else 'changed_samples' end as reason,
    restatement.late_samples,
    restatement.noted_at,
    restatement.restated_at,
    (restatement.before ->> 'count')::bigint as count_before,
    (restatement.after ->> 'count')::bigint as count_after,
    (restatement.before ->> 'sum')::double precision as sum_before,
    (restatement.after ->> 'sum')::double precision as sum_after,
    (restatement.before ->> 'min')::double precision as min_before,
    (restatement.after ->> 'min')::double precision as min_after,
    (restatement.before ->> 'max')::double precision as max_before,
    (restatement.after ->> 'max')::double precision as max_after
from data.aggregate_restatement as restatement
inner join data.every_kind as kind on restatement.kind_id = kind.kind_id
where
    restatement.restated_at is not null
    and coalesce(kind.namespace = any((select internal.shown_namespaces())::text[]), true);
comment on view analytics.restatements is
'Hours of a kind that were rolled up again: from what to what, and why. Kept for 400 days.';
comment on column analytics.restatements.namespace is 'Namespace; empty for the default one.';
comment on column analytics.restatements.kind is 'Metric name or Fact:<Name>.';
comment on column analytics.restatements.begins_at is 'Start of the first hour.';
comment on column analytics.restatements.ends_at is 'End of the last hour.';
comment on column analytics.restatements.reason is
'late_samples: they came after the hours had been rolled up. changed_samples: somebody changed or deleted
samples by hand.';
comment on column analytics.restatements.late_samples is 'How many of them.';
comment on column analytics.restatements.noted_at is
'When the first of them was stored; answers of the service include it since then.';
comment on column analytics.restatements.restated_at is 'When the hours were rolled up again.';
comment on column analytics.restatements.count_before is 'Observations before.';
comment on column analytics.restatements.count_after is 'Observations afterwards.';
comment on column analytics.restatements.sum_before is 'Sum of the values before.';
comment on column analytics.restatements.sum_after is 'Sum of the values afterwards.';
comment on column analytics.restatements.min_before is
'Smallest value before; null where a histogram leaves it open.';
comment on column analytics.restatements.min_after is 'Smallest value afterwards.';
comment on column analytics.restatements.max_before is
'Largest value before; null where a histogram leaves it open.';
comment on column analytics.restatements.max_after is 'Largest value afterwards.';
