create or replace view analytics.facts_daily
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
from data.sample_1d as bucket
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
comment on view analytics.facts_daily is
'Facts by day and series, five years back. The present day is
not rolled up yet, and in analytics.facts alone.';
comment on column analytics.facts_daily.namespace is 'Namespace; empty for the default one.';
comment on column analytics.facts_daily.bucket is 'Start of the day, UTC.';
comment on column analytics.facts_daily.kind is 'Fact:<Name>.';
comment on column analytics.facts_daily.unit is 'Unit of the values.';
comment on column analytics.facts_daily.source is 'MCP server or agent that sent them.';
comment on column analytics.facts_daily.count is 'Number of events.';
comment on column analytics.facts_daily.sum is 'Sum of the values.';
comment on column analytics.facts_daily.avg is 'Mean of the values.';
comment on column analytics.facts_daily.min is 'Smallest value; null where a histogram leaves it open.';
comment on column analytics.facts_daily.max is 'Largest value; null where a histogram leaves it open.';
comment on column analytics.facts_daily.stddev is
'Standard deviation of the population; null for histograms.';
comment on column analytics.facts_daily.last is 'Newest value; null for histograms.';
comment on column analytics.facts_daily.p50 is 'Median, with a relative error of 1 %.';
comment on column analytics.facts_daily.p90 is '90th percentile; see p50.';
comment on column analytics.facts_daily.p95 is '95th percentile; see p50.';
comment on column analytics.facts_daily.p99 is '99th percentile; see p50.';
comment on column analytics.facts_daily.sketch is
'Distribution of the values, for analytics.merge and analytics.percentile.';
