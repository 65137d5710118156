create or replace view analytics.kinds
with (security_barrier) as
select
    kind.namespace,
    kind.name as kind,
    kind.type,
    kind.unit,
    kind.created_at,
    member.sources,
    member.series
from data.every_kind as kind
left join lateral (
    select
        count(distinct series.source_id) as sources,
        count(*) as series
    from data.series
    where series.kind_id = kind.kind_id
) as member on true
where coalesce(kind.namespace = any((select internal.shown_namespaces())::text[]), true);
comment on view analytics.kinds is
'Kinds: what is measured, and which events there are.';
comment on column analytics.kinds.namespace is 'Namespace; empty for the default one.';
comment on column analytics.kinds.kind is 'Metric name or Fact:<Name>.';
comment on column analytics.kinds.type is 'gauge, counter, histogram or fact.';
comment on column analytics.kinds.unit is 'Unit of the values.';
comment on column analytics.kinds.created_at is 'When it was stored first.';
comment on column analytics.kinds.sources is 'Number of sources that send it.';
comment on column analytics.kinds.series is 'Number of its series.';
