create or replace view analytics.facts
with (security_barrier) as
select
    kind.namespace,
    fact.ts,
    kind.name as kind,
    source.name as source,
    fact.fact_id,
    fact.subject,
    fact.value,
    fact.payload,
    fact.received_at
from data.fact
inner join data.series on fact.series_id = series.series_id
inner join data.every_kind as kind on series.kind_id = kind.kind_id
inner join data.every_source as source on series.source_id = source.source_id
where coalesce(kind.namespace = any((select internal.shown_namespaces())::text[]), true);
comment on view analytics.facts is 'Business events.';
comment on column analytics.facts.namespace is 'Namespace; empty for the default one.';
comment on column analytics.facts.ts is 'Time of the event.';
comment on column analytics.facts.kind is 'Fact:<Name>.';
comment on column analytics.facts.source is 'MCP server or agent that sent it.';
comment on column analytics.facts.fact_id is 'Name from the source, or a digest of the content.';
comment on column analytics.facts.subject is 'Subject of the event.';
comment on column analytics.facts.value is 'Number that belongs to the event.';
comment on column analytics.facts.payload is 'Further content of the event.';
comment on column analytics.facts.received_at is 'Time at which it was stored.';
