create or replace function internal.check_policy(p_policy text) returns void
language plpgsql immutable
as $$
begin
    if p_policy not in ('retention', 'columnstore', 'refresh', 'quota') then
        raise exception 'unknown policy "%"', left(p_policy, 100)
            using errcode = 'SV422', constraint = 'policy_known', column = 'policy',
            hint = 'Send retention, columnstore, refresh or quota.';
    end if;
end
$$;
comment on function internal.check_policy(text) is
'Refuses what is no kind of policy; null is any.
Errors: policy_known.';
