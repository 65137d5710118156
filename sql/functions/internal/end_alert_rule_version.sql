create or replace function internal.end_alert_rule_version(p_rule bigint, p_now timestamptz)
returns timestamptz
language plpgsql
as $$
declare
    v_end timestamptz;
begin
    update data.alert_rule_version
    -- After its beginning, also where the clock went back; an empty range would hold no time.
    set valid = tstzrange(lower(valid), greatest(p_now, lower(valid) + interval '1 microsecond'))
    where rule_id = p_rule and upper_inf(valid)
    returning upper(valid) into v_end;
    return v_end;
end
$$;
comment on function internal.end_alert_rule_version(bigint, timestamptz) is
'Ends the present version of an alert rule now, and returns when that is; null where it has none.';
