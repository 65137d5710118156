create or replace function internal.measure_groups(p_kinds bigint[], p_window text, p_now timestamptz)
returns table (
    kind_id bigint,
    dimension text,
    member text,
    place integer,
    count double precision,
    value_count double precision,
    sum double precision,
    squares double precision,
    increase double precision
)
language sql stable
begin atomic
    with reading as materialized (
        select
            span.place,
            rollup.*,
            lag(rollup.value_last) over earlier as value_before,
            case
                when lag(span.place) over earlier <> span.place
                    then extract(epoch from rollup.value_first_at - lag(rollup.value_last_at) over earlier)
            end as gap,
            extract(epoch from span.ends - span.begins)::double precision as seconds
        from internal.change_windows(p_window, p_now) as span
        cross join
            lateral internal.rollup(
                '{}', p_kinds, null, span.begins, span.ends, null, null, '{count,sum,stddev,rate_per_second}'
            ) as rollup
        window earlier as (
            partition by rollup.series_id, rollup.value_first is null
            order by rollup.value_last_at
        )
    ),

    line as materialized (
        select
            kind_id,
            series_id,
            place,
            sum(observations)::double precision as count,
            sum(value_count)::double precision as value_count,
            sum(value_sum) as sum,
            -- Of what is read in parts, that of each is around a mean of its own.
            sum(
                squared_deviations
                + internal.quotient(internal.product(value_sum, value_sum), value_count)
            ) as squares,
            sum(increase + internal.growth(value_first, value_before, gap::double precision, seconds))
                as increase
        from reading
        group by kind_id, series_id, place
    )

    select
        line.kind_id,
        part.dimension,
        part.member,
        line.place,
        sum(line.count),
        sum(line.value_count),
        sum(line.sum),
        sum(line.squares),
        sum(line.increase)
    from line
    inner join data.series on line.series_id = series.series_id
    inner join data.source on series.source_id = source.source_id
    cross join
        lateral (
            select
                '' as dimension,
                '' as member
            union all
            select
                'source',
                source.name
            union all
            select
                'label.' || label.key,
                label.value
            from jsonb_each_text(series.labels) as label
        ) as part
    group by line.kind_id, part.dimension, part.member, line.place;
end;
comment on function internal.measure_groups(bigint[], text, timestamptz) is
'Kinds as a whole (dimension is empty), by source and by each label, in the windows of
internal.change_windows. squares is the sum of the squares of the values; increase is that of counters.';
