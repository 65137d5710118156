create or replace function internal.read_ts(p_ts jsonb, p_now timestamptz) returns timestamptz
language sql stable parallel safe
begin atomic
    select case
        when p_ts is null or p_ts = 'null' then p_now
        when p_ts between '-62135596800' and '253402300799'
            then to_timestamp(p_ts::double precision)
        -- PostgreSQL also reads 'tomorrow', 'infinity', bare dates and local times.
        when
            p_ts #>> '{}' like '____-__-__T__:__:__%'
            and (
                p_ts #>> '{}' like '%Z'
                or p_ts #>> '{}' like '%+__:__'
                or p_ts #>> '{}' like '%-__:__'
            )
            and pg_input_is_valid(p_ts #>> '{}', 'timestamptz')
            then (p_ts #>> '{}')::timestamptz
    end;
end;
comment on function internal.read_ts(jsonb, timestamptz) is
'Instant of an item: RFC 3339, epoch seconds, or p_now when absent; null when it is none of these.';
