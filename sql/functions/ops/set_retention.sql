create or replace function ops.set_retention(p_relation text, p_drop_after interval) returns void
language plpgsql
security definer
set search_path = pg_catalog, public, pg_temp
as $$
declare
    v_need record;
begin
    perform internal.change_policy(
        'retention', p_relation, 'policy_retention', 'drop_after', p_drop_after,
        '{1 day,1000 years}'
    );
    select
        need.needed_by,
        need.reason
    into v_need
    from internal.retention_needs(p_relation, p_drop_after) as need
    order by need.needed_by
    limit 1;
    if found then
        raise exception 'rows of "%" are needed for longer than %', p_relation, p_drop_after
            using errcode = 'SV409', constraint = 'retention_needed', column = 'value',
            detail = jsonb_build_object('refused', (
                select jsonb_agg(to_jsonb(need) order by need.needed_by)
                from internal.retention_needs(p_relation, p_drop_after) as need
            )),
            hint = v_need.reason
            || ' plan_retention (GET /admin/policies/retention/{name}/plan) lists what would go.';
    end if;
    -- What is pinned must be kept before the policy runs.
    perform internal.freeze_pinned(now());
end
$$;
comment on function ops.set_retention(text, interval) is
'Keeps the rows of a relation of ops.policies for p_drop_after, from the next run of its policy on. It refuses
what rollups, windows and alert rules need; ops.plan_retention says beforehand what would go. The audit
records it; a deploy keeps it.
Errors: policy_unknown, policy_value_in_range, retention_needed.';
