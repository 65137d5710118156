create or replace function ops.set_retention(p_relation text, p_drop_after interval) returns void
language plpgsql
security definer
set search_path = pg_catalog, public, pg_temp
as $$
declare
    v_policy record;
begin
    select
        policies.job_id,
        policies.config
    into v_policy
    from ops.policies
    where policies.relation = p_relation and policies.policy = 'policy_retention';
    if not found then
        raise exception 'relation "%" has no retention policy', left(p_relation, 200)
            using errcode = 'SV404', constraint = 'retention_policy_unknown', column = 'relation',
            hint = 'Send a relation of ops.policies with the policy policy_retention, such as data.sample.';
    end if;
    if (p_drop_after between interval '1 day' and interval '1000 years') is not true then
        raise exception 'retention of "%" is out of range', p_relation
            using errcode = 'SV422', constraint = 'retention_in_range', column = 'drop_after',
            hint = 'Send 1 day to 1000 years.';
    end if;
    if (v_policy.config ->> 'drop_after')::interval = p_drop_after then
        return;
    end if;
    perform alter_job(
        v_policy.job_id,
        config => v_policy.config || jsonb_build_object('drop_after', p_drop_after::text)
    );
    perform internal.audit(
        'update',
        'retention',
        p_relation,
        '',
        jsonb_build_object(
            'drop_after',
            jsonb_build_object('old', v_policy.config -> 'drop_after', 'new', p_drop_after::text)
        )
    );
end
$$;
comment on function ops.set_retention(text, interval) is
'Keeps the rows of a relation of ops.policies for p_drop_after, from the next run of its policy on. The audit
records it; a deploy keeps it.
Errors: retention_policy_unknown, retention_in_range.';
