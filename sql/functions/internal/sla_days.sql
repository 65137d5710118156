create or replace function internal.sla_days(
    p_server bigint,
    p_from timestamptz,
    p_to timestamptz,
    p_timezone text,
    p_as_of timestamptz
)
returns json
language sql stable
begin atomic
    with status as materialized (
        select *
        from internal.status_ranges(array[p_server], p_from, p_to, p_as_of)
    ),

    day as materialized (
        select
            local.*,
            row_number() over (order by local.day) as place
        from status
        cross join
            lateral internal.local_days(
                lower(status.during), upper(status.during), p_timezone
            ) as local
    ),

    calendar as materialized (
        select array_agg(begins_at order by place) as starts
        from day
    ),

    piece as (
        select
            'up' as status,
            unnest(up) as during
        from status
        union all
        select
            'degraded',
            unnest(degraded)
        from status
        union all
        select
            'down',
            unnest(down)
        from status
        union all
        select
            'maintenance',
            unnest(maintenance)
        from status
    ),

    part as (
        select
            piece.status,
            piece.during,
            place
        from piece
        cross join calendar
        -- Where a range reaches over midnight, each day has a part of it.
        cross join lateral generate_series(
            width_bucket(lower(piece.during), calendar.starts),
            width_bucket(upper(piece.during) - interval '1 microsecond', calendar.starts)
        ) as place
    ),

    length as (
        select
            day.day,
            part.status,
            extract(epoch from day.ends_at - day.begins_at) as whole,
            extract(
                epoch from
                sum(
                    least(upper(part.during), day.ends_at) - greatest(lower(part.during), day.begins_at)
                )
            ) as seconds
        from day
        left join part on day.place = part.place
        group by day.day, day.begins_at, day.ends_at, part.status
    ),

    total as (
        select
            day,
            whole,
            coalesce(sum(seconds) filter (where status = 'up'), 0) as up,
            coalesce(sum(seconds) filter (where status = 'degraded'), 0) as degraded,
            coalesce(sum(seconds) filter (where status = 'down'), 0) as down,
            coalesce(sum(seconds) filter (where status = 'maintenance'), 0) as maintenance
        from length
        group by day, whole
    )

    select
        coalesce(json_agg(
            json_build_object(
                'day', day,
                'seconds', internal.seconds_json(
                    up, degraded, down, whole - up - degraded - down - maintenance, maintenance
                ),
                'uptime_percent', internal.percentage(up + degraded, up + degraded + down)
            ) order by day
        ), '[]')
    from total;
end;
comment on function internal.sla_days(bigint, timestamptz, timestamptz, text, timestamptz) is
'For each day of a time zone, how long a server had each status: [{day, seconds, uptime_percent}]. The
first and the last day are cut to the range.';
