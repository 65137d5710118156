create or replace function internal.local_days(
    p_from timestamptz, p_to timestamptz, p_timezone text
)
returns table (day date, begins_at timestamptz, ends_at timestamptz)
language sql stable
begin atomic
    with midnight as (
        select
            date.day::date as day,
            date.day at time zone p_timezone as reading,
            -- The same midnight by the offset of the day before: where clocks are put back over
            -- midnight, it comes twice, and the day starts with the first one.
            (
                date.day
                - (
                    (date.day at time zone p_timezone - interval '1 day') at time zone p_timezone
                    - (date.day at time zone p_timezone - interval '1 day') at time zone 'UTC'
                )
            ) at time zone 'UTC' as earlier
        from generate_series(
            date_trunc('day', p_from at time zone p_timezone),
            p_to at time zone p_timezone + interval '1 day',
            interval '1 day'
        ) as date (day)
    ),

    start as (
        select
            day,
            case
                when earlier < reading and (earlier at time zone p_timezone)::date = day then earlier
                else reading
            end as begins_at
        from midnight
    ),

    bounded as (
        select
            day,
            greatest(begins_at, p_from) as begins_at,
            least(lead(begins_at) over (order by day), p_to) as ends_at
        from start
    )

    select
        day,
        begins_at,
        ends_at
    from bounded
    -- A day that a time zone skips has no length.
    where begins_at < ends_at
    order by day;
end;
comment on function internal.local_days(timestamptz, timestamptz, text) is
'The days of a time zone in [p_from, p_to), the first and the last one cut to it.';
