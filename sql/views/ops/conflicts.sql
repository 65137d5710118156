create or replace view ops.conflicts as
select
    kind.namespace,
    kind.name as kind,
    source.name as source,
    count(*) as items,
    sum(item.attempts) as attempts,
    min(item.first_received_at) as first_received_at,
    max(item.last_received_at) as last_received_at
from data.conflict as item
inner join data.every_kind as kind on item.kind_id = kind.kind_id
inner join data.every_source as source on item.source_id = source.source_id
group by kind.namespace, kind.name, source.name;
comment on view ops.conflicts is
'Items that a source sent again with other content, by kind and source. What was stored first counts.';
comment on column ops.conflicts.namespace is 'Namespace; empty for the default one.';
comment on column ops.conflicts.kind is 'Metric name or fact kind.';
comment on column ops.conflicts.source is 'Source that sent them.';
comment on column ops.conflicts.items is 'How many.';
comment on column ops.conflicts.attempts is 'How often they were sent.';
comment on column ops.conflicts.first_received_at is 'When the first one came.';
comment on column ops.conflicts.last_received_at is 'When the last one came.';
