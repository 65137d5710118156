create or replace view ops.backlog as
select
    name,
    items,
    lag
from internal.show_backlog(now());
comment on view ops.backlog is
'What waits: late samples to be rolled up, alerts and facts to be sent, and how far rollups are behind.';
comment on column ops.backlog.name is 'late_samples, outbox, deliveries, or refresh of a rollup.';
comment on column ops.backlog.items is 'How many; null for a refresh.';
comment on column ops.backlog.lag is
'How long the oldest has been waiting; of a refresh, the age of what is rolled up.';
