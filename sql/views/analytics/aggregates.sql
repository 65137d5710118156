create or replace view analytics.aggregates
with (security_barrier) as
select
    kind.namespace,
    kind.name as kind,
    aggregate.window_name,
    aggregate.computed_at,
    (aggregate.answer ->> 'count')::bigint as count,
    (aggregate.answer ->> 'sum')::double precision as sum,
    (aggregate.answer ->> 'avg')::double precision as avg,
    (aggregate.answer ->> 'min')::double precision as min,
    (aggregate.answer ->> 'max')::double precision as max,
    (aggregate.answer ->> 'p50')::double precision as p50,
    (aggregate.answer ->> 'p95')::double precision as p95,
    (aggregate.answer ->> 'rate_per_second')::double precision as rate_per_second,
    aggregate.answer
from data.aggregate
inner join data.every_kind as kind on aggregate.kind_id = kind.kind_id
where coalesce(kind.namespace = any((select internal.shown_namespaces())::text[]), true);
comment on view analytics.aggregates is
'Snapshots of aggregates of kinds; the newest one of a kind and window is current.';
comment on column analytics.aggregates.namespace is 'Namespace; empty for the default one.';
comment on column analytics.aggregates.kind is 'Metric name or Fact:<Name>.';
comment on column analytics.aggregates.window_name is '7d, 30d and so on.';
comment on column analytics.aggregates.computed_at is 'Time of the computation.';
comment on column analytics.aggregates.count is 'Observations in the window.';
comment on column analytics.aggregates.sum is 'Sum of the values.';
comment on column analytics.aggregates.avg is 'Mean of the values.';
comment on column analytics.aggregates.min is 'Smallest value; null where a histogram leaves it open.';
comment on column analytics.aggregates.max is 'Largest value; null where a histogram leaves it open.';
comment on column analytics.aggregates.p50 is 'Median, with the relative error error_bound of answer.';
comment on column analytics.aggregates.p95 is '95th percentile; see p50.';
comment on column analytics.aggregates.rate_per_second is
'Observations per second; of a counter, its growth per second.';
comment on column analytics.aggregates.answer is 'The whole answer of /query/agg.';
