create or replace function internal.end_kpi_version(p_kpi bigint, p_now timestamptz) returns timestamptz
language plpgsql
as $$
declare
    v_end timestamptz;
begin
    update data.kpi_version
    -- After its beginning, also where the clock went back; an empty range would hold no time.
    set valid = tstzrange(lower(valid), greatest(p_now, lower(valid) + interval '1 microsecond'))
    where kpi_id = p_kpi and upper_inf(valid)
    returning upper(valid) into v_end;
    return v_end;
end
$$;
comment on function internal.end_kpi_version(bigint, timestamptz) is
'Ends the present version of a KPI now, and returns when that is; null where it has none.';
