create or replace function internal.window_statistics(
    p_whole bigint[],
    p_kinds bigint[],
    p_series bigint[],
    p_group_by text,
    p_bounds timestamptz[],
    p_seconds double precision[],
    p_statistics text[],
    p_overall boolean
)
returns table (number integer, statistics data.statistics)
language plpgsql stable
-- The plan does not depend on the arguments, and takes longer to make than to run.
set plan_cache_mode = 'force_generic_plan'
as $$
declare
    v_counters constant bigint [] := array(
        select kind_id from data.kind
        where
            kind_id = any(p_kinds)
            and type = 'counter'
            and internal.needs(p_statistics, '{rate_per_second}')
    );
    v_from constant timestamptz := p_bounds[1];
    v_to constant timestamptz := p_bounds[cardinality(p_bounds)];
    v_cut constant timestamptz := case when cardinality(p_bounds) > 2 then p_bounds[2] end;
    v_reach constant timestamptz [] := array(
        select p_bounds[ordinality] - internal.growth_reach(make_interval(secs => length))
        from unnest(p_seconds) with ordinality as length
        order by ordinality
    );
    v_since constant timestamptz := least(v_reach[1], v_reach[2]);
    v_hour_before constant timestamptz := greatest(v_since, v_from - interval '1 hour');
begin
    return query
    with part as materialized (
        select
            rollup.*,
            case when rollup.bucket >= v_cut then 2 else 1 end as number
        from internal.rollup(
            p_whole, p_kinds, p_series, v_from, v_to, v_cut, null, p_statistics
        ) as rollup
    ),

    -- By the index: a join would read all series, also those without samples.
    label as materialized (
        select
            series.series_id,
            case p_group_by
                when 'source' then source.name
                else coalesce(series.labels ->> substr(p_group_by, length('label.') + 1), '')
            end as label
        from data.series
        inner join data.source on series.source_id = source.source_id
        where p_group_by is not null and series.series_id = any(array(select series_id from part))
    ),

    bucket as materialized (
        select
            part.*,
            label.label
        from part
        left join label on part.series_id = label.series_id
    ),

    member as materialized (
        select
            bucket.number,
            kind_id,
            label,
            sum(observations)::bigint as count,
            sum(value_count)::bigint as value_count,
            sum(value_sum) as sum,
            min(value_min) as min,
            max(value_max) as max,
            internal.merge_moments(array[value_count, value_sum, squared_deviations])
            filter (where squared_deviations is not null) as moments,
            -- In the order of the rollups: at equal times the greatest value.
            max(array[extract(epoch from value_last_at)::double precision, value_last])
            filter (where value_last_at is not null) as last,
            max(value_last_at) as value_last_at,
            max(last_at) as newest,
            sum(sketch) as sketch,
            sum(sketch_other) as sketch_other
        from bucket
        group by bucket.number, kind_id, label
    ),

    total as materialized (
        select
            row_number() over () as place,
            part.*
        from (
            select * from member
            union all
            select
                member.number,
                kind_id,
                null,
                sum(count)::bigint,
                sum(value_count)::bigint,
                sum(sum),
                min(min),
                max(max),
                internal.merge_moments(moments),
                max(last),
                max(value_last_at),
                max(newest),
                sum(sketch),
                sum(sketch_other)
            from member
            where p_overall
            group by member.number, kind_id
        ) as part
    ),

    -- Samples of whole kinds are read without their newest value: in the columnstore, its lookup takes as
    -- long as reading them, and most windows have a newer bucket.
    unread as materialized (
        select
            array_agg(total.place order by total.place) as places,
            array_agg(total.kind_id order by total.place) as kinds,
            array_agg(total.value_last_at order by total.place) as times
        from total
        where
            total.value_last_at is not null
            and total.last[2] is null
            and internal.needs(p_statistics, '{last}')
    ),

    newest as materialized (
        select
            read.place,
            read.value
        from unread
        cross join lateral unnest(
            unread.places, internal.newest_values(unread.kinds, unread.times)
        ) as read (place, value)
        where unread.places is not null
    ),

    -- What a counter has grown by its first reading, it has since the one before, if that is near.
    hour_before as materialized (
        select *
        from internal.rollup(
            '{}', v_counters, p_series, v_hour_before, v_from, null, null, '{rate_per_second}'
        )
        where v_counters <> '{}'
    ),

    reading as (
        select * from bucket
        union all
        select
            rollup.*,
            0,
            null
        from (
            select * from hour_before
            union all
            select *
            from internal.rollup(
                '{}', v_counters, p_series, v_since, v_hour_before, null, null, '{rate_per_second}'
            )
            -- Most are read more often than once an hour.
            where
                exists (
                    select series_id from bucket
                    where kind_id = any(v_counters)
                    except
                    select series_id from hour_before
                )
        ) as rollup
    ),

    growth as materialized (
        select
            following.number,
            kind_id,
            label,
            sum(
                increase + internal.growth(
                    value_first,
                    case when inside or value_before_at >= v_reach[following.number] then value_before end,
                    -- Of a longer gap counts as much as the window is long.
                    case
                        when not inside
                            then extract(epoch from value_first_at - value_before_at)::double precision
                    end,
                    p_seconds[following.number]
                )
            ) as increase
        from (
            select
                *,
                lag(value_last) over earlier as value_before,
                lag(value_last_at) over earlier as value_before_at,
                lag(reading.number) over earlier = reading.number as inside
            from reading
            where value_first is not null
            window earlier as (partition by series_id order by value_last_at)
        ) as following
        where following.number > 0
        group by following.number, kind_id, label
    ),

    grown as (
        select * from growth
        union all
        select
            growth.number,
            kind_id,
            null,
            sum(increase)
        from growth
        where p_overall
        group by growth.number, kind_id
    )

    select
        total.number,
        row(
            total.kind_id,
            total.label,
            total.count,
            total.sum,
            -- Rounding may move the quotient of a sum past the extremes; a histogram's are its bounds.
            case
                when kind.type = 'histogram' then mean.avg
                else greatest(total.min, least(total.max, mean.avg))
            end,
            nullif(total.min, '-infinity'),
            nullif(total.max, 'infinity'),
            case
                -- Histograms have no squared deviations.
                when total.moments[1] = total.value_count then case
                    -- Rounding may have left something.
                    when total.min = total.max then 0
                    -- The quotient of the two may be too small for a number; that of their roots is not.
                    else sqrt(total.moments[3]) / nullif(sqrt(total.moments[1]), 0)
                end
            end,
            coalesce(total.last[2], newest.value),
            percentile.p[1],
            percentile.p[2],
            percentile.p[3],
            percentile.p[4],
            internal.quotient(
                case kind.type when 'counter' then grown.increase else total.count end,
                p_seconds[total.number]
            ),
            total.newest,
            percentile.bounded
        )::data.statistics
    from total
    inner join data.kind on total.kind_id = kind.kind_id
    cross join lateral internal.quotient(total.sum, total.value_count::double precision) as mean (avg)
    left join newest on total.place = newest.place
    left join grown
        on
            total.number = grown.number
            and total.kind_id = grown.kind_id
            -- Can be hashed, which `is not distinct from` cannot.
            and coalesce(total.label, '') = coalesce(grown.label, '')
            and (total.label is null) = (grown.label is null)
    left join internal.percentiles(
        array(
            select
                row(
                    total.place,
                    kind.type = 'histogram',
                    total.value_count,
                    total.min,
                    total.max,
                    total.sketch,
                    total.sketch_other
                )::data.distribution
            from total
            inner join data.kind on total.kind_id = kind.kind_id
            where num_nonnulls(total.sketch, total.sketch_other) > 0
        )
    ) as percentile on total.place = percentile.place;
end
$$;
comment on function internal.window_statistics(
    bigint[], bigint[], bigint[], text, timestamptz[], double precision[], text[], boolean
) is
'Statistics in one window or in two that follow each other, from each of p_bounds to the next, with the
number of the window; p_seconds are their lengths. By kind and group, of all series of p_whole, and of the
series of p_kinds, of those in p_series unless it is null; where p_overall, also of all groups of a kind
together. p_whole is faster, but has no groups and no growth of counters. stddev is that of the population. A
rate is observations per second, for a counter its growth per second, that since the last reading before the
window included. Percentiles are null where they lie in an open bucket of a histogram. last is the newest
value, the greatest of several at that time; null for histograms. What p_statistics does not name may be null,
null means all.';
