create or replace function internal.read_ts(p_ts jsonb, p_now timestamptz) returns timestamptz
language sql stable parallel safe
begin atomic
    select case
        when p_ts is null or p_ts = 'null' then p_now
        when p_ts between '-62135596800' and '253402300799'
            then to_timestamp(p_ts::double precision)
        -- PostgreSQL also reads 'tomorrow', 'infinity', bare dates, local times and names of zones.
        when
            (
                p_ts #>> '{}' like '____-__-__T__:__:__.%+__:__'
                or p_ts #>> '{}' like '____-__-__T__:__:__Z'
                or p_ts #>> '{}' like '____-__-__T__:__:__.%Z'
                or p_ts #>> '{}' like '____-__-__T__:__:__+__:__'
                or p_ts #>> '{}' like '____-__-__T__:__:__-__:__'
                or p_ts #>> '{}' like '____-__-__T__:__:__.%-__:__'
                or p_ts #>> '{}' ~ '^....-..-..[Tt]..:..:..([.][0-9]+)?([Zz]|[+-]..:..)$'
            )
            and pg_input_is_valid(p_ts #>> '{}', 'timestamptz')
            then (p_ts #>> '{}')::timestamptz
    end;
end;
comment on function internal.read_ts(jsonb, timestamptz) is
'Instant of an item: RFC 3339, epoch seconds, or p_now when absent; null when it is none of these.';
