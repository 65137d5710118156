create or replace function internal.change_policy(
    p_type text, p_relation text, p_policy text, p_setting text, p_value interval, p_range interval[]
)
returns void
language plpgsql
as $$
declare
    v_job record;
begin
    select
        policies.job_id,
        policies.config
    into v_job
    from ops.policies
    where policies.relation = p_relation and policies.policy = p_policy
    order by policies.job_id
    limit 1;
    if not found then
        raise exception 'unknown policy of % "%"', p_type, left(p_relation, 200)
            using errcode = 'SV404', constraint = 'policy_unknown', column = 'name',
            hint = 'list_policies (GET /admin/policies) lists the policies.';
    end if;
    if (p_value between p_range[1] and p_range[2]) is not true then
        raise exception '% of "%" is out of range', p_setting, p_relation
            using errcode = 'SV422', constraint = 'policy_value_in_range', column = 'value',
            hint = format('Send %s to %s.', p_range[1], p_range[2]);
    end if;
    if (v_job.config ->> p_setting)::interval is not distinct from p_value then
        return;
    end if;
    perform alter_job(
        v_job.job_id,
        config => coalesce(v_job.config, '{}') || jsonb_build_object(p_setting, p_value::text)
    );
    perform internal.audit(
        'update',
        p_type,
        p_relation,
        '',
        jsonb_build_object(
            p_setting,
            jsonb_strip_nulls(
                jsonb_build_object('old', v_job.config -> p_setting, 'new', p_value::text)
            )
        )
    );
end
$$;
comment on function internal.change_policy(text, text, text, text, interval, interval[]) is
'Sets an interval in the config of a policy, named as in ops.policies, from its next run on. p_type is what
the audit calls it, p_range the least and the greatest value. The same value again changes nothing.
Errors: policy_unknown, policy_value_in_range.';
