-- Late hours: read from samples, which is slower, until they are rolled up.
select delete_job(job_id)
from timescaledb_information.jobs
where proc_schema = 'internal' and proc_name = 'refresh_late';
select add_job('internal.refresh_late', schedule_interval => interval '1 minute');
