create or replace function internal.end_version(p_server bigint, p_now timestamptz)
returns timestamptz
language plpgsql
as $$
declare
    v_end timestamptz;
begin
    update data.server_version
    -- After its beginning, also where the clock went back; an empty range would hold no time.
    set valid = tstzrange(lower(valid), greatest(p_now, lower(valid) + interval '1 microsecond'))
    where server_id = p_server and upper_inf(valid)
    returning upper(valid) into v_end;
    return v_end;
end
$$;
comment on function internal.end_version(bigint, timestamptz) is
'Ends the present version of a server now, and returns when that is.';
