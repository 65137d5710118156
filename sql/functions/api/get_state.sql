create or replace function api.get_state(p_now timestamptz) returns json
language sql stable
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
begin atomic
    select json_build_object(
        'kinds', (select count(*) from data.kind),
        'sources', (select count(*) from data.source),
        'series', (select count(*) from data.series),
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
'Counts, watermark and failing jobs of the database, for readiness and monitoring.';
