create or replace function api.set_policy(p_policy text, p_name text, p_value text) returns json
language plpgsql
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
as $$
declare
    v_before text;
    v_policy record;
begin
    perform internal.check_operator();
    perform internal.check_policy(p_policy);
    select shown.value into v_before
    from internal.show_policies() as shown
    where shown.policy = p_policy and shown.name = p_name;
    case p_policy
        when 'retention' then
            perform ops.set_retention(p_name, internal.read_length(p_value, 'value'));
        when 'columnstore' then
            perform ops.set_columnstore(p_name, internal.read_length(p_value, 'value'));
        when 'refresh' then
            perform ops.set_refresh(p_name, internal.read_length(p_value, 'value'));
        else
            perform ops.set_quota(
                p_name, case when p_value ~ '^[0-9]{1,18}$' then p_value::bigint end
            );
    end case;
    select * into strict v_policy
    from internal.show_policies() as shown
    where shown.policy = p_policy and shown.name = p_name;
    return json_build_object(
        'policy', v_policy.policy,
        'name', v_policy.name,
        'value', v_policy.value,
        'shipped', v_policy.shipped,
        'changed', v_policy.value <> v_before
    );
end
$$;
comment on function api.set_policy(text, text, text) is
'Sets a policy that list_policies shows, for all namespaces, from the default one: p_value is a length of
time such as 90 days, or the number of a quota. A retention that rollups, windows or alert rules do not allow
is refused; plan_retention says beforehand what would go. The audit records it; a deploy keeps it. Returns
{policy, name, value, shipped, changed}.
Errors: namespace_default, policy_known, policy_unknown, policy_value_well_formed, policy_value_in_range,
retention_needed.';
