create or replace view analytics.series
with (security_barrier) as
select
    kind.namespace,
    series.series_id,
    kind.name as kind,
    kind.type,
    kind.unit,
    source.name as source,
    series.labels,
    series.created_at
from data.series
inner join data.every_kind as kind on series.kind_id = kind.kind_id
inner join data.every_source as source on series.source_id = source.source_id
where coalesce(kind.namespace = any((select internal.shown_namespaces())::text[]), true);
comment on view analytics.series is
'Series: a kind of a source with a set of labels.';
comment on column analytics.series.namespace is 'Namespace; empty for the default one.';
comment on column analytics.series.series_id is
'Number of the series, as in metrics, metrics_hourly and metrics_daily.';
comment on column analytics.series.kind is 'Metric name or Fact:<Name>.';
comment on column analytics.series.type is 'gauge, counter, histogram or fact.';
comment on column analytics.series.unit is 'Unit of the values.';
comment on column analytics.series.source is 'MCP server or agent that sends it.';
comment on column analytics.series.labels is 'Label names and values.';
comment on column analytics.series.created_at is 'When it was stored first.';
