create or replace function internal.bucket_around(p_at timestamptz, p_width interval) returns tstzmultirange
language plpgsql immutable parallel safe
as $$
declare
    v_start constant timestamptz := time_bucket(p_width, p_at);
begin
    -- In PL/pgSQL, because an SQL function is planned at each call.
    return case
        when p_at > v_start then tstzmultirange(tstzrange(v_start, v_start + p_width))
        else '{}'
    end;
end
$$;
comment on function internal.bucket_around(timestamptz, interval) is
'The bucket of p_width that p_at divides into two; empty where p_at is its start, or null.';
