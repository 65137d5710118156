create or replace function internal.counter_growth(
    p_buckets data.rollup[], p_series bigint[], p_from timestamptz, p_to timestamptz, p_step interval
)
returns table (series_id bigint, bucket timestamptz, increase double precision)
language sql stable
begin atomic
    with edge as (
        -- Hours are read where samples were dropped.
        select
            case
                when p_from - interval '168 hours' < internal.oldest_chunk('sample')
                    then least(time_bucket(interval '1 hour', p_from), internal.watermark('sample_1h'))
            end as hours_before,
            case
                when p_to < internal.oldest_chunk('sample')
                    then least(p_to + interval '168 hours', internal.watermark('sample_1h'))
            end as hours_after
    ),

    reading as (
        select
            rollup.series_id,
            rollup.value_first,
            rollup.value_first_at,
            rollup.value_last,
            rollup.value_last_at,
            rollup.increase
        from unnest(p_buckets) as rollup
        where rollup.value_first is not null
        union all
        select
            series.series_id,
            beside.value as value_first,
            beside.ts as value_first_at,
            beside.value as value_last,
            beside.ts as value_last_at,
            0 as increase
        from edge
        cross join unnest(p_series) as series (series_id)
        cross join lateral internal.counter_before(series.series_id, p_from, edge.hours_before) as beside
        union all
        select
            series.series_id,
            beside.value as value_first,
            beside.ts as value_first_at,
            beside.value as value_last,
            beside.ts as value_last_at,
            0 as increase
        from edge
        cross join unnest(p_series) as series (series_id)
        cross join lateral internal.counter_after(series.series_id, p_to, edge.hours_after) as beside
    ),

    stretch as (
        select
            series_id,
            value_first_at as since,
            value_last_at as until,
            increase
        from reading
        union all
        select
            series_id,
            lag(value_last_at) over earlier,
            value_first_at,
            internal.growth(value_first, lag(value_last) over earlier, null, null)
        from reading
        window earlier as (partition by series_id order by value_first_at)
    ),

    part as (
        select
            stretch.series_id,
            point.bucket,
            stretch.increase,
            extract(epoch from stretch.until - stretch.since) as seconds,
            extract(
                epoch from
                least(stretch.until, point.bucket + p_step, p_to) - greatest(stretch.since, point.bucket)
            ) as covered
        from stretch
        cross join lateral generate_series(
            time_bucket(p_step, greatest(stretch.since, p_from)), least(stretch.until, p_to), p_step
        ) as point (bucket)
    )

    select
        part.series_id,
        part.bucket,
        sum(part.increase * (part.covered / part.seconds)::double precision)
    from part
    where part.covered > 0
    group by part.series_id, part.bucket;
end;
comment on function internal.counter_growth(
    data.rollup[], bigint[], timestamptz, timestamptz, interval
) is
'Growth of counters in each step of [p_from, p_to), from their buckets there and the readings next to
it. Between two readings a counter grows at one rate; a step that no such stretch touches has no row.';
