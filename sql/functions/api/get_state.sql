create or replace function api.get_state(p_now timestamptz) returns json
language sql stable
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
begin atomic
    select json_build_object(
        'kinds', internal.estimate_rows('data.kind'),
        'sources', internal.estimate_rows('data.source'),
        'series', internal.estimate_rows('data.series'),
        'late_samples', (select coalesce(sum(samples), 0) from data.late),
        'watermark', nullif(internal.watermark('sample_1h'), '-infinity'),
        'migrations', (select count(*) from deploy.migration),
        'failing_jobs', (
            select coalesce(json_agg(job.proc_name order by job.proc_name), '[]')
            from timescaledb_information.job_stats
            inner join timescaledb_information.jobs as job on job_stats.job_id = job.job_id
            where job_stats.last_run_status = 'Failed'
        ),
        'now', p_now
    );
end;
comment on function api.get_state(timestamptz) is
'Counts (of large tables estimated), watermark and failing jobs of the database, for monitoring.';
