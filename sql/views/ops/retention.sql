create or replace view ops.retention as
select
    policies.relation,
    (policies.config ->> 'drop_after')::interval as drop_after,
    relations.oldest_at,
    relations.newest_at,
    relations.chunks,
    relations.row_count,
    relations.bytes,
    round(relations.columnstore_chunks::numeric / nullif(relations.chunks, 0), 3) as columnstore_share,
    jobs.next_start as next_run,
    jobs.state
from ops.policies
inner join internal.show_relations() as relations on policies.relation = relations.relation
inner join ops.jobs on policies.job_id = jobs.job_id
where policies.policy = 'policy_retention';
comment on view ops.retention is
'How long the rows of each relation are kept, and what there is. Change it with ops.set_retention, after
ops.plan_retention.';
comment on column ops.retention.relation is 'Hypertable or continuous aggregate.';
comment on column ops.retention.drop_after is 'Age at which a chunk is dropped.';
comment on column ops.retention.oldest_at is 'Time of the oldest row.';
comment on column ops.retention.newest_at is 'Time of the newest row.';
comment on column ops.retention.chunks is 'Number of chunks.';
comment on column ops.retention.row_count is 'Number of rows; estimated where they are many.';
comment on column ops.retention.bytes is 'Bytes with indexes and columnstore.';
comment on column ops.retention.columnstore_share is
'Share of the chunks that are in the columnstore: 0 to 1.';
comment on column ops.retention.next_run is 'When the policy runs next.';
comment on column ops.retention.state is 'As in ops.jobs.';
