create or replace function internal.read_timezone(p_timezone text) returns text
language plpgsql stable
as $$
declare
    v_known text [];
    v_nearest text;
begin
    if coalesce(p_timezone, 'UTC') = 'UTC' then
        return 'UTC';
    end if;
    -- at time zone takes more: abbreviations, and any letters with an offset after them.
    v_known := array(select name from pg_timezone_names where name !~ '^(posix|right)/');
    if p_timezone <> all(v_known) then
        v_nearest := internal.nearest_name(p_timezone, v_known, 0.15);
        raise exception 'unknown time zone "%"', left(p_timezone, 100)
            using errcode = 'SV422', constraint = 'timezone_known', column = 'timezone',
            detail = jsonb_strip_nulls(jsonb_build_object('nearest', v_nearest)),
            hint = internal.suggestion(v_nearest)
            || 'Send a name of the IANA time zone database, such as Europe/Berlin, or UTC.';
    end if;
    return p_timezone;
end
$$;
comment on function internal.read_timezone(text) is 'The name of a time zone, UTC for null.
Errors: timezone_known.';
