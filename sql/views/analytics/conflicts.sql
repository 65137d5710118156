create or replace view analytics.conflicts
with (security_barrier) as
select
    kind.namespace,
    kind.name as kind,
    source.name as source,
    refused.ts,
    refused.item,
    refused.attempts,
    refused.first_received_at,
    refused.last_received_at
from data.conflict as refused
inner join data.every_kind as kind on refused.kind_id = kind.kind_id
inner join data.every_source as source on refused.source_id = source.source_id
where coalesce(kind.namespace = any((select internal.shown_namespaces())::text[]), true);
comment on view analytics.conflicts is
'Items that were sent again with other content. Aggregates have the content that came first.';
comment on column analytics.conflicts.namespace is 'Namespace; empty for the default one.';
comment on column analytics.conflicts.kind is 'Metric name or Fact:<Name>.';
comment on column analytics.conflicts.source is 'MCP server or agent that sent it.';
comment on column analytics.conflicts.ts is 'Time of the item.';
comment on column analytics.conflicts.item is 'The item with the other content.';
comment on column analytics.conflicts.attempts is 'How often it was sent.';
comment on column analytics.conflicts.first_received_at is 'When it came first.';
comment on column analytics.conflicts.last_received_at is 'When it came last.';
