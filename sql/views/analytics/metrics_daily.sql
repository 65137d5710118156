create or replace view analytics.metrics_daily
with (security_barrier) as
select
    kind.namespace,
    bucket.bucket,
    kind.name as kind,
    kind.type,
    kind.unit,
    source.name as source,
    series.labels,
    bucket.series_id,
    bucket.observations as count,
    bucket.value_sum as sum,
    bucket.value_sum / nullif(bucket.value_count, 0) as avg,
    nullif(bucket.value_min, '-infinity') as min,
    nullif(bucket.value_max, 'infinity') as max,
    sqrt(bucket.squared_deviations / nullif(bucket.value_count, 0)) as stddev,
    bucket.value_last as last,
    -- What a counter has grown by its first reading, it has since the last one before. Others have none: to
    -- search theirs would read their whole history.
    case
        when bucket.value_first is not null
            then bucket.increase + coalesce((
                select
                    case
                        when bucket.value_first >= before.value_last
                            then bucket.value_first - before.value_last
                        else bucket.value_first
                    end
                from data.sample_1d as before
                where
                    before.series_id = bucket.series_id
                    and before.bucket < bucket.bucket
                    and before.value_first is not null
                order by before.bucket desc
                limit 1
            ), 0)
    end as increase,
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
    kind.type <> 'fact'
    and coalesce(kind.namespace = any((select internal.shown_namespaces())::text[]), true);
comment on view analytics.metrics_daily is
'Metrics by day and series, five years back. The present day is
not rolled up yet, and in analytics.metrics alone.';
comment on column analytics.metrics_daily.namespace is 'Namespace; empty for the default one.';
comment on column analytics.metrics_daily.bucket is 'Start of the day, UTC.';
comment on column analytics.metrics_daily.kind is 'Name of the metric.';
comment on column analytics.metrics_daily.type is 'gauge, counter or histogram.';
comment on column analytics.metrics_daily.unit is 'Unit of the values.';
comment on column analytics.metrics_daily.source is 'MCP server or agent that sent them.';
comment on column analytics.metrics_daily.labels is 'Label names and values.';
comment on column analytics.metrics_daily.series_id is 'Number of the series.';
comment on column analytics.metrics_daily.count is 'Number of observations.';
comment on column analytics.metrics_daily.sum is 'Sum of the values.';
comment on column analytics.metrics_daily.avg is 'Mean of the values.';
comment on column analytics.metrics_daily.min is 'Smallest value; null where a histogram leaves it open.';
comment on column analytics.metrics_daily.max is 'Largest value; null where a histogram leaves it open.';
comment on column analytics.metrics_daily.stddev is
'Standard deviation of the population; null for histograms.';
comment on column analytics.metrics_daily.last is 'Newest value; null for histograms.';
comment on column analytics.metrics_daily.increase is
'Growth of a counter since its last reading before the day, resets included; null for others.';
comment on column analytics.metrics_daily.p50 is
'Median, with a relative error of 1 %; of a histogram, a point within its bucket.';
comment on column analytics.metrics_daily.p90 is '90th percentile; see p50.';
comment on column analytics.metrics_daily.p95 is '95th percentile; see p50.';
comment on column analytics.metrics_daily.p99 is '99th percentile; see p50.';
comment on column analytics.metrics_daily.sketch is
'Distribution of the values, for analytics.merge and analytics.percentile.';
