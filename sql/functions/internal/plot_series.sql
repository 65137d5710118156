create or replace function internal.plot_series(
    p_kind bigint,
    p_series bigint[],
    p_from timestamptz,
    p_to timestamptz,
    p_step interval
)
returns json
language sql stable
begin atomic
    with level as (
        select case
            when extract(epoch from p_step)::bigint % 86400 = 0 then '1d'
            when extract(epoch from p_step)::bigint % 3600 = 0 then '1h'
            else 'raw'
        end as resolution
    ),

    rollup as materialized (
        select step.*
        from level
        cross join lateral internal.step_rollup(
            level.resolution, p_kind, p_series, p_from, p_to, p_step
        ) as step
    ),

    rollups as (
        select array_agg(row(rollup.*)::data.rollup) as list
        from rollup
    ),

    part as (
        select
            series_id,
            bucket,
            observations,
            value_count,
            value_sum,
            value_min,
            value_max,
            value_last,
            value_last_at,
            null::double precision as increase
        from rollup
        union all
        select
            growth.series_id,
            growth.bucket,
            0,
            0,
            null,
            null,
            null,
            null,
            null,
            growth.increase
        from data.kind
        cross join rollups
        cross join
            lateral internal.counter_growth(rollups.list, p_series, p_from, p_to, p_step) as growth
        where kind.kind_id = p_kind and kind.type = 'counter'
    ),

    point as (
        select
            series_id,
            time_bucket_gapfill(p_step, bucket, p_from, p_to) as bucket,
            sum(observations) as count,
            internal.quotient(sum(value_sum), sum(value_count)::double precision) as avg,
            nullif(min(value_min), '-infinity') as min,
            nullif(max(value_max), 'infinity') as max,
            last(value_last, value_last_at) filter (where value_last is not null) as last,
            sum(increase) as increase
        from part
        where bucket >= p_from and bucket < p_to
        group by series_id, time_bucket_gapfill(p_step, bucket, p_from, p_to)
    ),

    line as (
        select
            point.series_id,
            json_agg(
                json_build_array(
                    bucket, coalesce(count, 0), avg, min, max, last,
                    internal.quotient(
                        case kind.type when 'counter' then increase else coalesce(count, 0) end,
                        -- The last step may not be over.
                        extract(epoch from least(bucket + p_step, p_to) - bucket)::double precision
                    )
                ) order by bucket
            ) as points
        from point
        inner join data.kind on kind.kind_id = p_kind
        group by point.series_id
    )

    select
        json_build_object(
            'name', kind.name,
            'type', kind.type,
            'unit', kind.unit,
            'from', p_from,
            'to', p_to,
            'step_seconds', extract(epoch from p_step)::bigint,
            'resolution', level.resolution,
            'columns', json_build_array('ts', 'count', 'avg', 'min', 'max', 'last', 'rate_per_second'),
            'series', (
                select
                    coalesce(json_agg(
                        json_build_object(
                            'source', source.name, 'labels', series.labels, 'points', line.points
                        ) order by source.name, series.labels
                    ), '[]')
                from line
                inner join data.series on line.series_id = series.series_id
                inner join data.source on series.source_id = source.source_id
            )
        )
    from data.kind
    cross join level
    where kind.kind_id = p_kind;
end;
comment on function internal.plot_series(
    bigint, bigint[], timestamptz, timestamptz, interval
) is
'Points of series, one per p_step from p_from, which starts a step. A point without samples has count
0 and nulls; its rate, for a counter, is that between the readings around it. The rate of the last step
is over its part before p_to. Steps of whole days are read from days, of whole hours from hours, and
others from samples: raw.';
