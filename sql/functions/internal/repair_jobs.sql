create or replace function internal.repair_jobs(p_pause interval, p_now timestamptz)
returns table (relation text, policy text, started_at timestamptz)
language plpgsql
as $$
declare
    v_job record;
begin
    for v_job in
        select crashed.* from internal.crashed_jobs() as crashed
        where exists (
            select from deploy.setting
            where setting.relation = crashed.relation and setting.policy = crashed.policy
        )
        order by crashed.job_id
    loop
        -- Of several nodes, one gets it; a job that crashes its server is left to the server's own pauses.
        if p_pause is null or internal.take_lease(
            format('repair of %s of %s', v_job.policy, v_job.relation),
            gen_random_uuid()::text,
            extract(epoch from p_pause),
            p_now
        ) then
            call internal.recreate_job(v_job.job_id);
            relation := v_job.relation;
            policy := v_job.policy;
            started_at := v_job.started_at;
            return next;
        end if;
    end loop;
end
$$;
comment on function internal.repair_jobs(interval, timestamptz) is
'Makes shipped jobs run again that a crash or a failover has cut off, each at most once in p_pause if
that is not null. Returns them, and when the run that was cut off began.';
