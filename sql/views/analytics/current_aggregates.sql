create or replace view analytics.current_aggregates
with (security_barrier) as
select
    kind.namespace,
    kind.name as kind,
    kind.type,
    kind.unit,
    aggregate.window_name,
    aggregate.computed_at,
    (aggregate.answer ->> 'count')::bigint as count,
    (aggregate.answer ->> 'sum')::double precision as sum,
    (aggregate.answer ->> 'avg')::double precision as avg,
    (aggregate.answer ->> 'min')::double precision as min,
    (aggregate.answer ->> 'max')::double precision as max,
    (aggregate.answer ->> 'stddev')::double precision as stddev,
    (aggregate.answer ->> 'last')::double precision as last,
    (aggregate.answer ->> 'p50')::double precision as p50,
    (aggregate.answer ->> 'p90')::double precision as p90,
    (aggregate.answer ->> 'p95')::double precision as p95,
    (aggregate.answer ->> 'p99')::double precision as p99,
    (aggregate.answer ->> 'rate_per_second')::double precision as rate_per_second,
    (aggregate.answer #>> '{previous,count}')::bigint as previous_count,
    (aggregate.answer #>> '{previous,sum}')::double precision as previous_sum,
    (aggregate.answer #>> '{previous,avg}')::double precision as previous_avg,
    (aggregate.answer #>> '{previous,p95}')::double precision as previous_p95
from (
    select distinct on (kind_id, window_name)
        kind_id,
        window_name,
        computed_at,
        answer
    from data.aggregate
    order by kind_id asc, window_name asc, minute desc
) as aggregate
inner join data.every_kind as kind on aggregate.kind_id = kind.kind_id
where coalesce(kind.namespace = any((select internal.shown_namespaces())::text[]), true);
comment on view analytics.current_aggregates is
'The newest snapshot of every kind and window: those that were asked for, and every hour all of 7d and 30d.';
comment on column analytics.current_aggregates.namespace is 'Namespace; empty for the default one.';
comment on column analytics.current_aggregates.kind is 'Metric name or Fact:<Name>.';
comment on column analytics.current_aggregates.type is 'gauge, counter, histogram or fact.';
comment on column analytics.current_aggregates.unit is 'Unit of the values.';
comment on column analytics.current_aggregates.window_name is '7d, 30d and so on.';
comment on column analytics.current_aggregates.computed_at is
'Time of the computation; the statistics have not changed since, or were not asked for.';
comment on column analytics.current_aggregates.count is 'Observations in the window.';
comment on column analytics.current_aggregates.sum is 'Sum of the values.';
comment on column analytics.current_aggregates.avg is 'Mean of the values.';
comment on column analytics.current_aggregates.min is
'Smallest value; null where a histogram leaves it open.';
comment on column analytics.current_aggregates.max is
'Largest value; null where a histogram leaves it open.';
comment on column analytics.current_aggregates.stddev is 'Standard deviation of the population.';
comment on column analytics.current_aggregates.last is 'Newest value.';
comment on column analytics.current_aggregates.p50 is
'Median, with a relative error of 1 %; of a histogram, a point within its bucket.';
comment on column analytics.current_aggregates.p90 is '90th percentile; see p50.';
comment on column analytics.current_aggregates.p95 is '95th percentile; see p50.';
comment on column analytics.current_aggregates.p99 is '99th percentile; see p50.';
comment on column analytics.current_aggregates.rate_per_second is
'Observations per second; of a counter, its growth per second.';
comment on column analytics.current_aggregates.previous_count is 'Observations in the window before.';
comment on column analytics.current_aggregates.previous_sum is 'Sum of the window before.';
comment on column analytics.current_aggregates.previous_avg is 'Mean of the window before.';
comment on column analytics.current_aggregates.previous_p95 is '95th percentile of the window before.';
