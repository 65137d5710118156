create or replace function internal.answer_agg(
    p_kinds bigint[],
    p_series bigint[],
    p_window text,
    p_group_by text,
    p_fields text[],
    p_now timestamptz
)
returns table (kind_id bigint, answer json)
language plpgsql stable
-- The plan does not depend on the arguments, and takes longer to make than to run.
set plan_cache_mode = 'force_generic_plan'
as $$
declare
    c_statistics constant text [] := '{count,sum,avg,min,max,stddev,last,p50,p90,p95,p99,rate_per_second}';
    -- previous, change and groups contain the named statistics, or all when none is named.
    v_statistics constant text [] := case
        when not (p_fields && '{previous,change,groups}' and not p_fields && c_statistics) then p_fields
    end;
    -- error_bound is that of all percentiles of the whole answer, whatever else is named.
    v_computed constant text [] := case
        when v_statistics is not null and 'error_bound' = any(p_fields) then v_statistics || '{p50,p90,p95,p99}'::text []
        else v_statistics
    end;
    v_compared constant boolean := p_fields is null or p_fields && '{previous,change,error_bound}';
    v_grouped constant boolean := p_group_by is not null and coalesce('groups' = any(p_fields), true);
    v_range constant record := internal.comparison_range(p_window, p_now);
    v_seconds constant double precision := extract(epoch from p_now - v_range.begins);
    -- A counter grows series by series; any other kind can be read as a whole.
    v_whole constant bigint [] := array(
        select kind.kind_id from data.kind
        where kind.kind_id = any(p_kinds) and kind.type <> 'counter' and p_series is null
    );
    v_by_series constant bigint [] := array(select unnest(p_kinds) except select unnest(v_whole));
begin
    return query
    with current as materialized (
        select *
        from internal.window_statistics(
            case when v_grouped then '{}' else v_whole end,
            case when v_grouped then p_kinds else v_by_series end,
            p_series,
            case when v_grouped then p_group_by end,
            v_range.begins, v_range.ends, v_seconds, v_computed, v_grouped
        )
    ),
    past as materialized (
        select *
        from internal.window_statistics(
            v_whole, v_by_series, p_series, null, v_range.former, v_range.begins,
            extract(epoch from v_range.begins - v_range.former), v_computed, false
        )
        where v_compared
    ),
    grouped as materialized (
        select
            member.kind_id,
            json_agg(
                internal.statistics_json(member::data.statistics, v_statistics)
                order by member.count desc, member.label
            ) as groups,
            bool_and(member.bounded) as bounded
        from current as member
        where member.label is not null
        group by member.kind_id
    )
    select
        kind.kind_id,
        (
            select json_object_agg(member.key, member.value)
            from (
                select * from json_each(
                    json_build_object(
                        'kind', kind.name,
                        'type', kind.type,
                        'unit', kind.unit,
                        'window', p_window,
                        'from', v_range.begins,
                        'to', p_now
                    )
                )
                union all
                select * from json_each(internal.statistics_json(present::data.statistics, v_statistics))
                union all
                values
                (
                    'previous', internal.join_json(
                        json_build_object('from', v_range.former, 'to', v_range.begins),
                        internal.statistics_json(past::data.statistics, v_statistics)
                    )
                ),
                (
                    'change',
                    internal.change_json(present::data.statistics, past::data.statistics, v_statistics)
                ),
                ('groups', coalesce(grouped.groups, '[]')),
                (
                    'freshness', json_build_object(
                        'watermark', nullif(internal.watermark('sample_1h'), '-infinity'),
                        'newest', present.newest,
                        'late_pending', (
                            select coalesce(sum(late.samples), 0)
                            from data.late
                            where late.kind_id = kind.kind_id
                                and late.bucket < internal.watermark('sample_1h')
                        )
                    )
                ),
                (
                    'error_bound', to_json(case
                        when
                            kind.type <> 'histogram'
                            and coalesce(present.bounded, true)
                            and coalesce(past.bounded, true)
                            and coalesce(grouped.bounded, true)
                            then 0.01
                    end)
                ),
                ('computed_at', to_json(p_now))
            ) as member (key, value)
            where
                p_fields is null
                or member.key = any(p_fields || '{kind,type,unit,window,from,to,computed_at}'::text[])
        )
    from data.kind
    left join current as present on kind.kind_id = present.kind_id and present.label is null
    left join past on kind.kind_id = past.kind_id
    left join grouped on kind.kind_id = grouped.kind_id
    where kind.kind_id = any(p_kinds);
    perform internal.check_chunks('{sample,sample_1h,kind_1h,sample_1d,kind_1d}');
end
$$;
comment on function internal.answer_agg(
    bigint[], bigint[], text, text, text[], timestamptz
) is
'The answer of query_agg for each of p_kinds; p_series null means all of their series.
Windows of 7 days and more start on an hour, shorter ones on a minute. previous is exactly as long as
the window; beyond the retention of samples, it starts on the nearest hour. error_bound is the greatest
relative error of the percentiles in the whole answer. It is null for histograms, because their senders
choose the bounds, and where a percentile lies between values of different sign.
What p_fields does not name is not computed.';
