create or replace function internal.ts_faults(p_ts jsonb, p_now timestamptz, p_relation name)
returns table (field text, slug text, detail text)
language sql stable
begin atomic
    select
        'ts',
        case
            when moment.ts is null then 'ts_well_formed'
            when moment.ts > p_now then 'ts_not_in_future'
            else 'ts_within_retention'
        end,
        case
            -- No number of seconds: the year 5138 and later, or 1973 and later in a smaller unit.
            when moment.number between '1e11' and '1e14'
                then 'The number looks like milliseconds. Divide it by 1000.'
            when moment.number between '1e14' and '1e17'
                then 'The number looks like microseconds. Divide it by 1000000.'
            when moment.number between '1e17' and '1e20'
                then 'The number looks like nanoseconds. Divide it by 1000000000.'
            when jsonb_typeof(p_ts) = 'string' and moment.number is not null
                then
                    'The ts is the string ' || p_ts::text || '. Send the number '
                    || (p_ts #>> '{}') || ' without quotation marks.'
            when moment.ts < p_now
                then
                    'The ts is older than the retention of ' || p_relation || 's, '
                    || internal.retention(p_relation)
                    || '. The oldest one accepted is '
                    || to_char(
                        (select internal.oldest_accepted(p_now, p_relation)) at time zone 'UTC',
                        'YYYY-MM-DD"T"HH24:MI:SS"Z"'
                    )
                    || '.'
        end
    from (
        select
            internal.read_ts(p_ts, p_now) as ts,
            case
                when jsonb_typeof(p_ts) = 'number' then p_ts
                when p_ts #>> '{}' ~ '^[0-9]{1,30}([.][0-9]{1,30})?$'
                    then to_jsonb((p_ts #>> '{}')::numeric)
            end as number
    ) as moment
    where
        moment.ts is null
        or moment.ts > p_now + interval '5 minutes'
        or moment.ts <= p_now - interval '1 hour'
        and moment.ts < (select internal.oldest_accepted(p_now, p_relation));
end;
comment on function internal.ts_faults(jsonb, timestamptz, name) is
'What is wrong with the time of an item that becomes a row of sample or fact.';
