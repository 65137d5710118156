create or replace function internal.crashed_jobs()
returns table (job_id integer, relation text, policy text, started_at timestamptz)
language sql stable
begin atomic
    select
        policies.job_id,
        policies.relation,
        policies.policy::text,
        stat.last_start
    from ops.policies
    inner join timescaledb_information.jobs as listed on policies.job_id = listed.job_id
    inner join _timescaledb_internal.bgw_job_stat as stat on policies.job_id = stat.job_id
    where
        listed.scheduled
        -- A run takes the end of the last one away. next_start is -infinity then, or what alter_job has set.
        and stat.last_finish < stat.last_start
        -- Its worker takes a moment to start.
        and stat.last_start < now() - interval '1 minute'
        and not exists (
            select from pg_catalog.pg_stat_activity
            where
                pg_stat_activity.datname = current_database()
                and pg_stat_activity.application_name = listed.application_name
        );
end;
comment on function internal.crashed_jobs() is
'Jobs of ops.policies of which a run has begun, never ended, and goes on no more: the server ended, or a
standby was promoted that has only seen the beginning.';
