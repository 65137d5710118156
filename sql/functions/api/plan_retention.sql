create or replace function api.plan_retention(p_name text, p_drop_after text, p_now timestamptz) returns json
language plpgsql stable
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
as $$
begin
    perform internal.check_operator();
    return ops.plan_retention(p_name, internal.read_length(p_drop_after, 'drop_after'), p_now);
end
$$;
comment on function api.plan_retention(text, text, timestamptz) is
'What set_policy with the retention p_drop_after, such as 30 days, would drop of a relation, and changes
nothing; the present retention where it is null. See ops.plan_retention for the answer.
Errors: namespace_default, policy_unknown, policy_value_well_formed, policy_value_in_range.';
