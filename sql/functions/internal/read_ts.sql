create or replace function internal.read_ts(p_ts jsonb, p_now timestamptz) returns timestamptz
language sql stable parallel safe
begin atomic
    select case
        when p_ts is null or p_ts = 'null' then p_now
        when p_ts between '-62135596800' and '253402300799'
            then to_timestamp(internal.read_number(p_ts))
        -- PostgreSQL also reads 'tomorrow', 'infinity', dates, local times and names of time zones.
        when
            p_ts #>> '{}' ~ (
                '^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?'
                || '([Zz]|[+-][0-9]{2}:[0-9]{2})$'
            )
            and pg_input_is_valid(p_ts #>> '{}', 'timestamptz')
            then (p_ts #>> '{}')::timestamptz
    end;
end;
comment on function internal.read_ts(jsonb, timestamptz) is
'Time of an item: RFC 3339, seconds since 1970, or p_now when absent; null for anything else.';
