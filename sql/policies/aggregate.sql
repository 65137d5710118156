-- Snapshots: how far as_of reaches back.
select remove_retention_policy('data.aggregate', if_exists => true);
select add_retention_policy('data.aggregate', drop_after => interval '400 days');
call remove_columnstore_policy('data.aggregate', if_exists => true);
call add_columnstore_policy('data.aggregate', after => interval '8 days');
select delete_job(job_id)
from timescaledb_information.jobs
where proc_schema = 'internal' and proc_name = 'snapshot_aggregates';
select add_job(
    'internal.snapshot_aggregates',
    schedule_interval => interval '1 hour',
    config => '{"windows": ["7d", "30d"]}'
);
