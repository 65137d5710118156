create or replace function internal.plot_series(
    p_kind integer,
    p_series integer[],
    p_from timestamptz,
    p_to timestamptz,
    p_step interval
)
returns json
language sql stable
begin atomic
    with part as materialized (
        select
            series_id,
            bucket,
            count,
            value_count,
            sum,
            min,
            max,
            last,
            last_at,
            first,
            increase
        from internal.hourly_rollup('{}', p_series, p_from, p_to)
        where extract(epoch from p_step)::bigint % 3600 = 0
        union all
        select
            series_id,
            time_bucket(p_step, ts),
            sum(observations),
            coalesce(sum(observations) filter (where value is not null), 0),
            sum(value),
            min(case when sketch is null then value else low end),
            max(case when sketch is null then value else high end),
            last(value, ts) filter (where value is not null),
            max(ts),
            first(value, ts) filter (where counter),
            internal.increase(array_agg(value order by ts) filter (where counter))
        from data.sample
        where
            series_id = any(p_series)
            and ts >= p_from and ts < p_to
            and extract(epoch from p_step)::bigint % 3600 <> 0
        group by series_id, time_bucket(p_step, ts)
    ),

    stepped as (
        select
            part.*,
            case
                when first >= lag(last) over earlier then first - lag(last) over earlier
                when lag(last) over earlier is not null then first
                else 0
            end as step
        from part
        window earlier as (partition by series_id order by last_at)
    ),

    point as (
        select
            series_id,
            time_bucket_gapfill(p_step, bucket, p_from, p_to) as bucket,
            sum(count) as count,
            internal.quotient(sum(sum), sum(value_count)::double precision) as avg,
            min(min) as min,
            max(max) as max,
            last(last, last_at) as last,
            sum(increase + step) as increase
        from stepped
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
    integer, integer[], timestamptz, timestamptz, interval
) is
'Points of series, one every p_step; those without samples have count 0 and nulls.';
