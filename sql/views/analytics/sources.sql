create or replace view analytics.sources
with (security_barrier) as
select
    source.namespace,
    source.name as source,
    source.created_at,
    member.kinds,
    member.series
from data.every_source as source
left join lateral (
    select
        count(distinct series.kind_id) as kinds,
        count(*) as series
    from data.series
    where series.source_id = source.source_id
) as member on true
where coalesce(source.namespace = any((select internal.shown_namespaces())::text[]), true);
comment on view analytics.sources is
'Sources: the MCP servers and agents that send metrics and facts.';
comment on column analytics.sources.namespace is 'Namespace; empty for the default one.';
comment on column analytics.sources.source is 'Name of the source.';
comment on column analytics.sources.created_at is 'When it sent something first.';
comment on column analytics.sources.kinds is 'Number of kinds that it sends.';
comment on column analytics.sources.series is 'Number of its series.';
