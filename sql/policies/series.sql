-- Series, kinds and sources: deleted a day after they were registered when nothing is stored for them.
select delete_job(job_id)
from timescaledb_information.jobs
where proc_schema = 'internal' and proc_name = 'prune_catalogue';
select add_job(
    'internal.prune_catalogue',
    schedule_interval => interval '1 day',
    config => '{"grace": "1 day"}'
);
