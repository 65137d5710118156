create or replace procedure internal.recreate_job(p_job_id integer)
language plpgsql
as $$
declare
    v_job record;
begin
    select
        policies.relation,
        policies.policy,
        jobs.*
    into strict v_job
    from ops.policies
    inner join timescaledb_information.jobs on policies.job_id = jobs.job_id
    where policies.job_id = p_job_id;
    perform delete_job(p_job_id);
    call internal.create_policy(
        v_job.relation,
        v_job.policy,
        coalesce(v_job.config, '{}')
        || jsonb_build_object('schedule_interval', v_job.schedule_interval::text)
    );
    perform alter_job(
        (
            select max(policies.job_id) from ops.policies
            where policies.relation = v_job.relation and policies.policy = v_job.policy
        ),
        schedule_interval => v_job.schedule_interval,
        max_runtime => v_job.max_runtime,
        max_retries => v_job.max_retries,
        retry_period => v_job.retry_period,
        config => v_job.config,
        fixed_schedule => v_job.fixed_schedule,
        initial_start => v_job.initial_start,
        next_start => now()
    );
end
$$;
comment on procedure internal.recreate_job (integer) is
'Makes a shipped job or policy again, with its settings and another number, due now. The number has run never
and crashed never: of one that has crashed, TimescaleDB puts off the next run whenever any job is altered.';
