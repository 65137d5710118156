create or replace view analytics.metrics
with (security_barrier) as
select
    kind.namespace,
    sample.ts,
    kind.name as kind,
    kind.type,
    kind.unit,
    source.name as source,
    series.labels,
    sample.series_id,
    sample.value,
    sample.observations
from data.sample
inner join data.series on sample.series_id = series.series_id
inner join data.every_kind as kind on sample.kind_id = kind.kind_id
inner join data.every_source as source on series.source_id = source.source_id
where
    kind.type <> 'fact'
    and sample.seq = 0
    and coalesce(kind.namespace = any((select internal.shown_namespaces())::text[]), true);
comment on view analytics.metrics is 'Samples of metrics.';
comment on column analytics.metrics.namespace is 'Namespace; empty for the default one.';
comment on column analytics.metrics.ts is 'Time of the sample.';
comment on column analytics.metrics.kind is 'Name of the metric.';
comment on column analytics.metrics.type is 'gauge, counter or histogram.';
comment on column analytics.metrics.unit is 'Unit of the value.';
comment on column analytics.metrics.source is 'MCP server or agent that sent it.';
comment on column analytics.metrics.labels is 'Label names and values.';
comment on column analytics.metrics.series_id is 'Number of the series.';
comment on column analytics.metrics.value is 'The value; of a histogram, its sum.';
comment on column analytics.metrics.observations is '1; of a histogram, its count.';
