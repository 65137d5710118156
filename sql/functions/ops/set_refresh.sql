create or replace function ops.set_refresh(p_setting text, p_value interval) returns void
language plpgsql
security definer
set search_path = pg_catalog, public, pg_temp
as $$
begin
    if p_setting in ('end_offset', 'settle') is not true then
        raise exception 'unknown policy of refresh "%"', left(p_setting, 200)
            using errcode = 'SV404', constraint = 'policy_unknown', column = 'name',
            hint = 'Send end_offset or settle.';
    end if;
    perform internal.change_policy(
        'refresh',
        case p_setting when 'settle' then 'internal.refresh_late' else 'internal.refresh_rollups' end,
        case p_setting when 'settle' then 'refresh_late' else 'refresh_rollups' end,
        p_setting,
        p_value,
        -- An ingest of the last hour may be on its way for 20 minutes.
        case p_setting when 'settle' then '{0,1 hour}' else '{20 minutes,1 day}' end::interval []
    );
end
$$;
comment on function ops.set_refresh(text, interval) is
'Sets how fresh rollups are: end_offset, how old the samples are that refresh_rollups leaves for the next run,
or settle, how long refresh_late waits for more late samples. The audit records it; a deploy keeps it.
Errors: policy_unknown, policy_value_in_range.';
