create or replace function ops.set_quota(p_name text, p_value bigint) returns void
language plpgsql
security definer
set search_path = pg_catalog, public, pg_temp
as $$
begin
    if (p_value > 0) is not true then
        raise exception 'quota "%" is out of range', left(p_name, 200)
            using errcode = 'SV422', constraint = 'policy_value_in_range', column = 'value',
            hint = 'Send a whole number above zero.';
    end if;
    perform from data.quota
    where name = p_name;
    if not found then
        raise exception 'unknown quota "%"', left(p_name, 200)
            using errcode = 'SV404', constraint = 'policy_unknown', column = 'name',
            hint = internal.policy_hint('quota', p_name);
    end if;
    update data.quota set value = p_value
    where name = p_name and value <> p_value;
end
$$;
comment on function ops.set_quota(text, bigint) is
'Sets a limit of data.quota, from the next request on. The audit records it.
Errors: policy_unknown, policy_value_in_range.';
