-- Idempotency keys: kept longer than any client retries. Conflicts: long enough to ask the source.
select delete_job(job_id)
from timescaledb_information.jobs
where proc_schema = 'internal' and proc_name = 'prune';
select add_job(
    'internal.prune',
    schedule_interval => interval '1 day',
    config => '{"idempotency_keys": "7 days", "conflicts": "90 days"}'
);
