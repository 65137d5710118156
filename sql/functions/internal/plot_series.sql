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
    with bucket as materialized (
        select
            series_id,
            bucket,
            observations,
            value_count,
            value_sum,
            value_min,
            value_max,
            value_last,
            last_at,
            value_first,
            increase
        from internal.hourly_rollup('{}', p_series, p_from, p_to)
        where extract(epoch from p_step)::bigint % 3600 = 0
        union all
        select
            series_id,
            bucket,
            observations,
            value_count,
            value_sum,
            value_min,
            value_max,
            value_last,
            last_at,
            value_first,
            increase
        from internal.raw_rollup('{}', p_series, p_from, p_to, p_step)
        where extract(epoch from p_step)::bigint % 3600 <> 0
    ),

    followed as (
        select
            bucket.*,
            -- A first reading below the last one of the bucket before follows a reset to zero.
            case
                when value_first >= lag(value_last) over earlier
                    then value_first - lag(value_last) over earlier
                when lag(value_last) over earlier is not null then value_first
                else 0
            end as increase_before
        from bucket
        window earlier as (partition by series_id order by last_at)
    ),

    point as (
        select
            series_id,
            time_bucket_gapfill(p_step, bucket, p_from, p_to) as bucket,
            sum(observations) as count,
            internal.quotient(sum(value_sum), sum(value_count)::double precision) as avg,
            min(value_min) as min,
            max(value_max) as max,
            last(value_last, last_at) as last,
            sum(increase + increase_before) as increase
        from followed
        where bucket >= time_bucket(p_step, p_from) and bucket < p_to
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
                        extract(epoch from p_step)::double precision
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
    where kind.kind_id = p_kind;
end;
comment on function internal.plot_series(
    bigint, bigint[], timestamptz, timestamptz, interval
) is
'Points of series, one per p_step; a point without samples has count 0 and nulls.';
