create or replace view analytics.facts_hourly
with (security_barrier) as
select
    kind.namespace,
    bucket.bucket,
    kind.name as kind,
    kind.unit,
    source.name as source,
    bucket.observations as count,
    bucket.value_sum as sum,
    bucket.value_sum / nullif(bucket.value_count, 0) as avg,
    nullif(bucket.value_min, '-infinity') as min,
    nullif(bucket.value_max, 'infinity') as max,
    sqrt(bucket.squared_deviations / nullif(bucket.value_count, 0)) as stddev,
    bucket.value_last as last,
    analytics.percentile(distribution.sketch, 0.5) as p50,
    analytics.percentile(distribution.sketch, 0.9) as p90,
    analytics.percentile(distribution.sketch, 0.95) as p95,
    analytics.percentile(distribution.sketch, 0.99) as p99,
    case when bucket.value_count > 0 then distribution.sketch end as sketch
from data.sample_1h as bucket
inner join data.every_kind as kind on bucket.kind_id = kind.kind_id
-- There is one of each: who selects no name of theirs pays for neither join.
left join data.series on bucket.series_id = series.series_id
left join data.every_source as source on series.source_id = source.source_id
cross join
    lateral ( -- noqa: ST05
        select
            row(
                bucket.value_count,
                bucket.sketch,
                bucket.sketch_other,
                bucket.value_min,
                bucket.value_max,
                kind.type = 'histogram'
            )::analytics.sketch as sketch
    ) as distribution
where
    kind.type = 'fact'
    and coalesce(kind.namespace = any((select internal.shown_namespaces())::text[]), true);
comment on view analytics.facts_hourly is
'Facts by hour and series, for as long as hours are kept. The newest hours are
not rolled up yet, and in analytics.facts alone.';
comment on column analytics.facts_hourly.namespace is 'Namespace; empty for the default one.';
comment on column analytics.facts_hourly.bucket is 'Start of the hour, UTC.';
comment on column analytics.facts_hourly.kind is 'Fact:<Name>.';
comment on column analytics.facts_hourly.unit is 'Unit of the values.';
comment on column analytics.facts_hourly.source is 'MCP server or agent that sent them.';
comment on column analytics.facts_hourly.count is 'Number of events.';
comment on column analytics.facts_hourly.sum is 'Sum of the values.';
comment on column analytics.facts_hourly.avg is 'Mean of the values.';
comment on column analytics.facts_hourly.min is 'Smallest value; null where a histogram leaves it open.';
comment on column analytics.facts_hourly.max is 'Largest value; null where a histogram leaves it open.';
comment on column analytics.facts_hourly.stddev is
'Standard deviation of the population; null for histograms.';
comment on column analytics.facts_hourly.last is 'Newest value; null for histograms.';
comment on column analytics.facts_hourly.p50 is 'Median, with a relative error of 1 %.';
comment on column analytics.facts_hourly.p90 is '90th percentile; see p50.';
comment on column analytics.facts_hourly.p95 is '95th percentile; see p50.';
comment on column analytics.facts_hourly.p99 is '99th percentile; see p50.';
comment on column analytics.facts_hourly.sketch is
'Distribution of the values, for analytics.merge and analytics.percentile.';
