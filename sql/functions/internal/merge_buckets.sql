create or replace function internal.merge_buckets(
    p_days tstzmultirange,
    p_hours tstzmultirange,
    p_recent bigint[],
    p_since timestamptz,
    p_samples tstzrange,
    p_whole bigint[],
    p_kinds bigint[],
    p_series bigint[],
    p_cut timestamptz,
    p_step interval,
    p_apart boolean,
    p_statistics text[]
)
returns setof data.rollup
language plpgsql stable
-- Rollups are in memory, being asked for all the time: a page costs as much as two rows there. With the costs
-- of a disk, the planner reads all kinds of a time to save pages.
set seq_page_cost = 0.02
set random_page_cost = 0.02
as $$
declare
    c_bucket constant text := $bucket$
        select * from data.%1$I as bucket
        where bucket.kind_id = any(%2$s) and bucket.bucket >= $4[%4$s] and bucket.bucket < $4[%4$s + 1] %3$s
    $bucket$;
    c_prompt constant text := $prompt$
            and not exists (
                select from data.late_hour
                where late_hour.kind_id = bucket.kind_id and late_hour.bucket = bucket.bucket
            )
    $prompt$;
    c_recent constant text := $recent$
        select * from data.recent_hour as bucket
        where bucket.kind_id = any(%1$s) and bucket.kind_id = any($7) and bucket.bucket >= $8 %2$s
    $recent$;
    -- A query of what is not asked for costs its planning, and what is not needed costs its time.
    v_prompt constant text := case
        when exists (select from data.late_hour where kind_id = any(p_whole || p_kinds)) then c_prompt
    end;
    v_series constant text := case
        -- The planner looks at each element of an array.
        when cardinality(p_series) > 1000 then 'and bucket.series_id in (select unnest($3))'
        when p_series is not null then 'and bucket.series_id = any($3)'
    end;
    v_sketches constant boolean := internal.needs(p_statistics, '{p50,p90,p95,p99}');
    v_growth constant boolean := internal.needs(p_statistics, '{rate_per_second}');
    v_newest constant boolean := internal.needs(p_statistics, '{last,rate_per_second}');
    v_range record;
    v_bounds timestamptz [] := '{}';
    v_buckets text [] := '{}';
begin
    -- One statement for all of them, with a part for each range: so the planner leaves out chunks.
    for v_range in
        select '1d' as width, unnest(p_days) as span
        union all
        select '1h', unnest(p_hours)
    loop
        if p_whole <> '{}' then
            v_buckets := v_buckets || concat(
                format(c_bucket, 'kind_' || v_range.width, '$1', '', cardinality(v_bounds) + 1), v_prompt
            );
        end if;
        if p_kinds <> '{}' then
            v_buckets := v_buckets || concat(
                format(c_bucket, 'sample_' || v_range.width, '$2', v_series, cardinality(v_bounds) + 1), v_prompt
            );
        end if;
        v_bounds := v_bounds || array[lower(v_range.span), upper(v_range.span)];
    end loop;
    if p_whole <> '{}' and p_recent <> '{}' then
        v_buckets := v_buckets || format(c_recent, '$1', 'and bucket.series_id is null');
    end if;
    if p_kinds <> '{}' and p_recent <> '{}' then
        v_buckets := v_buckets || format(
            c_recent, '$2', coalesce(v_series, 'and bucket.series_id is not null')
        );
    end if;
    if p_samples is not null then
        v_buckets := v_buckets || array[
            'select * from internal.raw_kinds($1, lower($9), upper($9), null, true)',
            'select * from internal.raw_buckets($2, null, false, lower($9), upper($9), null, null)'
        ];
    end if;
    if v_buckets = '{}' then
        return;
    end if;
    -- The expressions of the rollups in 0004_rollups.sql, but for the newest value: no two buckets of
    -- a series, or of a kind, have it at the same time.
    return query execute format(
        $merge$
        select
            kind_id,
            series_id,
            %9$s,
            sum(observations)::bigint,
            sum(value_count)::bigint,
            sum(value_sum),
            %2$s,
            min(value_min),
            max(value_max),
            %3$s,
            %10$s,
            max(last_at),
            %4$s,
            %11$s,
            %5$s,
            %6$s,
            %7$s
        from (%8$s) as bucket
        group by kind_id, series_id %1$s
        $merge$,
        case
            when v_growth and p_apart then ', bucket'
            when p_step is not null then ', time_bucket($5, bucket)'
            when p_cut is not null then ', bucket < $6'
        end,
        case when internal.needs(p_statistics, '{stddev}') then $moments$
            case when count(squared_deviations) > 0 then (
                internal.merge_moments(array[value_count, value_sum, squared_deviations])
                filter (where value_count > 0 and squared_deviations is not null)
            )[3] end
        $moments$ else 'null::double precision' end,
        case when v_newest then
            'last(value_last, value_last_at) filter (where value_last is not null)'
        else 'null::double precision' end,
        case when v_growth then
            'first(value_first, value_first_at) filter (where value_first is not null)'
        else 'null::double precision' end,
        case when v_growth and p_apart then 'sum(increase)' when v_growth then $increase$
            sum(increase) + internal.increase_between(
                array_agg(bucket) filter (where value_first is not null),
                array_agg(value_first) filter (where value_first is not null),
                array_agg(value_last) filter (where value_first is not null)
            )
        $increase$ else 'null::double precision' end,
        case when v_sketches then 'sum(sketch)' else 'null::numeric' end,
        case when v_sketches then 'sum(sketch_other)' else 'null::numeric' end,
        array_to_string(v_buckets, ' union all '),
        case when p_step is null then 'min(bucket)' else 'time_bucket($5, bucket)' end,
        case when v_newest then 'max(value_last_at)' else 'null::timestamptz' end,
        case when v_growth then 'min(value_first_at)' else 'null::timestamptz' end
    ) using p_whole, p_kinds, p_series, v_bounds, p_step, p_cut, p_recent, p_since,
        p_samples;
end
$$;
comment on function internal.merge_buckets(
    tstzmultirange, tstzmultirange, bigint[], timestamptz, tstzrange, bigint[], bigint[], bigint[],
    timestamptz, interval, boolean, text[]
) is
'The days in p_days and the hours in p_hours of the rollups, of kinds in p_recent the recent hours from
p_since on, and all samples in p_samples unless it is null, merged into steps, or into one bucket on
each side of p_cut where p_step is null; where p_apart, the growth of counters is asked for bucket by bucket,
and nothing is merged. Of
p_whole for all series of the kind, of p_kinds by series, of those in p_series unless it is null. It leaves out
hours that got late samples. What p_statistics does not name is null, null means all.';
