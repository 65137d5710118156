create or replace procedure internal.end_import(p_state jsonb)
language plpgsql
as $$
declare
    v_policy record;
begin
    perform setval(
        pg_get_serial_sequence('data.' || split_part(key, '.', 1), split_part(key, '.', 2)), value::bigint
    )
    from jsonb_each_text(p_state -> 'sequences');
    for v_policy in
        select
            exported.*,
            here.job_id
        from jsonb_to_recordset(p_state -> 'policies') as exported (
            relation text, policy text, schedule_interval interval, config jsonb, scheduled boolean
        )
        full join ops.policies as here
            on exported.relation = here.relation and exported.policy = here.policy
    loop
        if v_policy.policy is null then
            perform delete_job(v_policy.job_id);
            continue;
        elsif v_policy.job_id is null then
            call internal.create_policy(
                v_policy.relation,
                v_policy.policy,
                coalesce(v_policy.config, '{}')
                || jsonb_build_object('schedule_interval', v_policy.schedule_interval::text)
            );
        end if;
        perform alter_job(
            policies.job_id,
            schedule_interval => v_policy.schedule_interval,
            -- Null leaves what is there.
            config => nullif(coalesce(policies.config, '{}') || v_policy.config, '{}'),
            scheduled => v_policy.scheduled
        )
        from ops.policies
        where policies.relation = v_policy.relation and policies.policy = v_policy.policy;
    end loop;
end
$$;
comment on procedure internal.end_import (jsonb) is
'Gives sequences and policies of a database the values that they have in an export, after its rows.';
