create or replace function internal.merge_buckets(
    p_width text,
    p_whole bigint[],
    p_kinds bigint[],
    p_series bigint[],
    p_from timestamptz,
    p_to timestamptz,
    p_step interval,
    p_sketches boolean
)
returns setof data.rollup
language plpgsql stable
as $$
declare
    c_bucket constant text := $bucket$
        select * from data.%1$I as bucket
        where bucket.kind_id = any(%2$s) and bucket.bucket >= $4 and bucket.bucket < $5 %3$s
            and not exists (
                select from data.late
                where late.kind_id = bucket.kind_id and late.bucket = bucket.bucket
            )
    $bucket$;
    -- A query of what is not asked for costs its planning.
    v_buckets constant text := concat_ws(
        ' union all ',
        case when p_whole <> '{}' then format(c_bucket, 'kind_' || p_width, '$1', '') end,
        case when p_kinds <> '{}' then
            format(
                c_bucket, 'sample_' || p_width, '$2',
                case
                    -- The planner looks at each element of an array.
                    when cardinality(p_series) > 1000 then 'and bucket.series_id in (select unnest($3))'
                    when p_series is not null then 'and bucket.series_id = any($3)'
                end
            )
        end
    );
begin
    if p_from >= p_to or v_buckets = '' then
        return;
    end if;
    -- The expressions of the rollups in 0004_rollups.sql.
    return query execute format(
        $merge$
        select
            kind_id,
            series_id,
            %1$s,
            sum(observations)::bigint,
            sum(value_count)::bigint,
            sum(value_sum),
            case when count(squared_deviations) > 0 then (
                internal.merge_moments(array[value_count, value_sum, squared_deviations])
                filter (where value_count > 0 and squared_deviations is not null)
            )[3] end,
            min(value_min),
            max(value_max),
            (
                max(array[extract(epoch from value_last_at)::double precision, value_last])
                filter (where value_last is not null)
            )[2],
            max(value_last_at),
            max(last_at),
            first(value_first, value_first_at) filter (where value_first is not null),
            min(value_first_at),
            sum(increase) + internal.increase_between(
                array_agg(bucket) filter (where value_first is not null),
                array_agg(value_first) filter (where value_first is not null),
                array_agg(value_last) filter (where value_first is not null)
            ),
            %2$s,
            %3$s
        from (%4$s) as bucket
        group by 1, 2, 3
        $merge$,
        case when p_step is null then '$4' else 'time_bucket($6, bucket)' end,
        case when p_sketches then 'sum(sketch)' else 'null::numeric' end,
        case when p_sketches then 'sum(sketch_other)' else 'null::numeric' end,
        v_buckets
    ) using p_whole, p_kinds, p_series, p_from, p_to, p_step;
end
$$;
comment on function internal.merge_buckets(
    text, bigint[], bigint[], bigint[], timestamptz, timestamptz, interval, boolean
) is
'The buckets in [p_from, p_to) of the rollups whose width is p_width, 1h or 1d, merged into steps, or into
one where p_step is null: of p_whole for all series of the kind, of p_kinds by series, of those in p_series
unless it is null. It leaves out hours that got late samples. The sketches are null unless p_sketches.';
