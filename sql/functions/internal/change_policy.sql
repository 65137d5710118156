create or replace function internal.change_policy(
    p_type text, p_relation text, p_policy text, p_setting text, p_value interval, p_range interval[]
)
returns void
language plpgsql
as $$
declare
    v_job record;
    v_shipped constant text := (
        select value #>> '{}'
        from deploy.setting
        where relation = p_relation and policy = p_policy and setting = p_setting
    );
    v_least constant interval := least(p_range[1], v_shipped::interval);
    -- As the release writes it, so that both look alike.
    v_value constant text := case when p_value = v_shipped::interval then v_shipped else p_value::text end;
begin
    select
        policies.job_id,
        policies.config
    into v_job
    from ops.policies
    where policies.relation = p_relation and policies.policy = p_policy
    order by policies.job_id;
    if not found then
        raise exception 'unknown policy of % "%"', p_type, left(p_relation, 200)
            using errcode = 'SV404', constraint = 'policy_unknown', column = 'name',
            hint = internal.policy_hint(p_type, p_relation);
    end if;
    if (p_value between v_least and p_range[2]) is not true then
        raise exception '% of "%" is out of range', p_setting, p_relation
            using errcode = 'SV422', constraint = 'policy_value_in_range', column = 'value',
            hint = format('Send %s to %s.', v_least, p_range[2]);
    end if;
    if (v_job.config ->> p_setting)::interval is not distinct from p_value then
        return;
    end if;
    perform alter_job(
        v_job.job_id,
        config => coalesce(v_job.config, '{}') || jsonb_build_object(p_setting, v_value)
    );
    perform internal.audit(
        'update',
        p_type,
        p_relation,
        '',
        jsonb_build_object(
            p_setting,
            jsonb_strip_nulls(
                jsonb_build_object('old', v_job.config -> p_setting, 'new', v_value)
            )
        )
    );
end
$$;
comment on function internal.change_policy(text, text, text, text, interval, interval[]) is
'Sets an interval in the config of a policy, named as in ops.policies, from its next run on. p_type is what
the audit calls it, p_range the least and the greatest value; what the release ships is allowed too. The same
value again changes nothing.
Errors: policy_unknown, policy_value_in_range.';
