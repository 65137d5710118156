-- Late hours: read from samples, and so slower, until rolled up.
select delete_job(job_id)
from timescaledb_information.jobs
where proc_schema = 'internal' and proc_name = 'refresh_late';
select add_job('internal.refresh_late', schedule_interval => interval '1 minute');
