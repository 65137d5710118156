create or replace function internal.alerts_within_quota(p_alerts bigint) returns boolean
language plpgsql stable
as $$
declare
    v_most constant bigint := (select value from data.quota where name = 'alerts_per_rule');
begin
    if p_alerts > v_most then
        raise exception 'The rule has % alerts; the quota alerts_per_rule is %. Group by a label with fewer values.',
            p_alerts, v_most
            using errcode = 'program_limit_exceeded';
    end if;
    return true;
end
$$;
comment on function internal.alerts_within_quota(bigint) is
'True where a rule has as many alerts as it may have; else an error that is kept as that of the rule.';
