create or replace function internal.show_jobs()
returns table (
    job_id integer,
    relation text,
    policy text,
    state text,
    schedule_interval interval,
    next_start timestamptz,
    overdue interval,
    last_started_at timestamptz,
    last_duration interval,
    runs bigint,
    failures bigint,
    p50_duration interval,
    p95_duration interval,
    last_error text,
    last_error_at timestamptz
)
language sql stable
security definer
set search_path = pg_catalog, public, pg_temp
begin atomic
    with job as (
        select
            policies.job_id,
            policies.relation,
            policies.policy,
            policies.schedule_interval,
            listed.scheduled,
            coalesce(stat.next_start, listed.initial_start) as next_start,
            nullif(stat.last_start, '-infinity') as last_started_at,
            -- A run takes the end of the last one away.
            coalesce(stat.last_finish < stat.last_start, false) as started,
            stats.last_run_duration,
            stats.last_run_status,
            stats.job_status,
            coalesce(stats.total_runs, 0) as runs,
            coalesce(stats.total_failures, 0) as failures
        from ops.policies
        inner join timescaledb_information.jobs as listed on policies.job_id = listed.job_id
        left join timescaledb_information.job_stats as stats on policies.job_id = stats.job_id
        -- The view has no next_start of a paused job.
        left join _timescaledb_internal.bgw_job_stat as stat on policies.job_id = stat.job_id
    ),

    run as (
        select
            job_history.job_id,
            percentile_disc(0.5) within group (
                order by job_history.finish_time - job_history.start_time
            ) as p50,
            percentile_disc(0.95) within group (
                order by job_history.finish_time - job_history.start_time
            ) as p95
        from timescaledb_information.job_history
        where job_history.succeeded
        group by job_history.job_id
    ),

    failure as (
        select distinct on (job_history.job_id)
            job_history.job_id,
            job_history.err_message,
            job_history.start_time
        from timescaledb_information.job_history
        where not job_history.succeeded
        order by job_history.job_id asc, job_history.start_time desc
    )

    select
        job.job_id,
        job.relation,
        job.policy::text,
        case
            when not job.scheduled then 'paused'
            when crashed.job_id is not null then 'crashed'
            when job.job_status = 'Running' or job.started then 'running'
            when job.last_run_status = 'Failed' then 'failed'
            when now() - job.next_start > greatest(job.schedule_interval, interval '10 minutes')
                then 'overdue'
            else 'scheduled'
        end,
        job.schedule_interval,
        nullif(job.next_start, '-infinity'),
        case
            when job.scheduled and job.next_start <> '-infinity'
                then greatest(now() - job.next_start, interval '0')
        end,
        job.last_started_at,
        job.last_run_duration,
        job.runs,
        job.failures,
        run.p50,
        run.p95,
        failure.err_message,
        failure.start_time
    from job
    left join internal.crashed_jobs() as crashed on job.job_id = crashed.job_id
    left join run on job.job_id = run.job_id
    left join failure on job.job_id = failure.job_id;
end;
comment on function internal.show_jobs() is
'The jobs of ops.policies: whether each is scheduled, running, paused, failed, overdue or crashed, by how
much its next run is late, how long its runs take, and its last error. Durations and errors are there where
the server logs them (timescaledb.enable_job_execution_logging).';
