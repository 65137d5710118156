create or replace function internal.job_state() returns json
language sql stable
begin atomic
    with ran as (
        select
            job.proc_name as job,
            coalesce(job.hypertable_schema || '.' || job.hypertable_name, '') as relation,
            stats.total_runs,
            extract(epoch from stats.last_run_duration) as seconds
        from timescaledb_information.job_stats as stats
        inner join timescaledb_information.jobs as job on stats.job_id = job.job_id
        where stats.total_runs > 0 and (job.proc_schema = 'internal' or job.hypertable_schema = 'data')
    )

    select
        json_build_object(
            'failing_jobs', (
                select count(*) from timescaledb_information.job_stats
                where job_stats.last_run_status = 'Failed'
            ) + (select count(*) from internal.crashed_jobs()),
            'job_runs', json_agg(json_build_object('job', job, 'relation', relation, 'value', total_runs)),
            'job_last_run_duration_seconds', json_agg(
                json_build_object('job', job, 'relation', relation, 'value', seconds)
            ) filter (where seconds is not null)
        )
    from ran;
end;
comment on function internal.job_state() is
'How many jobs failed in their last run or were cut off in it, and runs and seconds of the last one by job,
for monitoring.';
