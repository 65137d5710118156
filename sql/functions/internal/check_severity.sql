create or replace function internal.check_severity(p_severity text) returns void
language plpgsql immutable
as $$
begin
    if p_severity not in ('critical', 'warning', 'info') then
        raise exception 'unknown severity "%"', left(p_severity, 100)
            using errcode = 'SV422', constraint = 'severity_known', column = 'severity',
            hint = 'Send critical, warning or info.';
    end if;
end
$$;
comment on function internal.check_severity(text) is
'Refuses a severity that no alert has; null is none.
Errors: severity_known.';
