create or replace function internal.answer_agg(
    p_kinds bigint[],
    p_series bigint[],
    p_window text,
    p_group_by text,
    p_fields text[],
    p_now timestamptz
)
returns table (kind text, answer json)
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
    v_former_seconds constant double precision := extract(epoch from v_range.begins - v_range.former);
    -- The window before has no groups: where this one has, it is read by itself.
    v_together constant boolean := v_compared and not v_grouped;
    v_bounds constant timestamptz [] :=
        case when v_together then array[v_range.former] else '{}' end || array[v_range.begins, v_range.ends];
    v_lengths constant double precision [] :=
        case when v_together then array[v_former_seconds] else '{}' end || v_seconds;
    -- A counter grows series by series; any other kind can be read as a whole.
    v_whole constant bigint [] := array(
        select kind.kind_id from data.kind
        where kind.kind_id = any(p_kinds) and kind.type <> 'counter' and p_series is null
    );
    v_by_series constant bigint [] := array(select unnest(p_kinds) except select unnest(v_whole));
    v_watermark constant timestamptz := internal.watermark('sample_1h');
begin
    return query
    with measured as materialized (
        select
            part.number < cardinality(v_lengths) as former,
            part.statistics
        from internal.window_statistics(
            case when v_grouped then '{}' else v_whole end,
            case when v_grouped then p_kinds else v_by_series end,
            p_series,
            case when v_grouped then p_group_by end,
            v_bounds, v_lengths, v_computed, v_grouped
        ) as part
        union all
        select
            true,
            part.statistics
        from internal.window_statistics(
            v_whole, v_by_series, p_series, null,
            array[v_range.former, v_range.begins], array[v_former_seconds], v_computed, false
        ) as part
        where v_compared and v_grouped
    ),
    grouped as materialized (
        select
            (member.statistics).kind_id,
            string_agg(
                '{' || internal.statistics_members(member.statistics, v_statistics) || '}', ', '
                order by (member.statistics).count desc, (member.statistics).label
            ) as groups,
            bool_and((member.statistics).bounded) as bounded,
            bool_and((member.statistics).label = '') as unlabelled
        from measured as member
        where (member.statistics).label is not null
        group by (member.statistics).kind_id
    )
    select
        kind.name,
        concat(
            '{',
            concat_ws(
                ', ',
                '"kind" : ' || to_json(kind.name),
                '"type" : ' || to_json(kind.type),
                '"unit" : ' || coalesce(to_json(kind.unit)::text, 'null'),
                '"window" : ' || to_json(p_window),
                '"from" : ' || to_json(v_range.begins),
                '"to" : ' || to_json(p_now),
                nullif(internal.statistics_members(present.statistics, p_fields), ''),
                case
                    when internal.needs(p_fields, '{previous}')
                        then format(
                            '"previous" : {"from" : %s, "to" : %s%s}',
                            to_json(v_range.former),
                            to_json(v_range.begins),
                            ', ' || nullif(internal.statistics_members(past.statistics, v_statistics), '')
                        )
                end,
                case
                    when internal.needs(p_fields, '{change}')
                        then format(
                            '"change" : {%s}',
                            internal.change_members(present.statistics, past.statistics, v_statistics)
                        )
                end,
                case
                    when internal.needs(p_fields, '{groups}')
                        then format('"groups" : [%s]', grouped.groups)
                end,
                '"hint" : ' || to_json(case
                    when cardinality(p_kinds) > 1 then null
                    when p_series = '{}' then internal.source_hint(kind.name)
                    when coalesce(grouped.unlabelled, v_grouped) then internal.group_hint(kind.kind_id, p_group_by)
                end),
                case
                    when internal.needs(p_fields, '{freshness}')
                        then '"freshness" : ' || json_build_object(
                            'watermark', nullif(v_watermark, '-infinity'),
                            'newest', (present.statistics).newest,
                            'late_pending', (
                                select coalesce(sum(late_hour.samples), 0)
                                from data.late_hour
                                where late_hour.kind_id = kind.kind_id and late_hour.bucket < v_watermark
                            )
                        )
                end,
                case
                    when internal.needs(p_fields, '{error_bound}')
                        then '"error_bound" : ' || case
                            when
                                kind.type <> 'histogram'
                                and coalesce((present.statistics).bounded, true)
                                and coalesce((past.statistics).bounded, true)
                                and coalesce(grouped.bounded, true)
                                then '0.01'
                            else 'null'
                        end
                end,
                '"computed_at" : ' || to_json(p_now)
            ),
            '}'
        )::json
    from data.kind
    left join measured as present
        on
            kind.kind_id = (present.statistics).kind_id
            and (present.statistics).label is null
            and not present.former
    left join measured as past on kind.kind_id = (past.statistics).kind_id and past.former
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
What p_fields does not name is not computed. hint says what to ask instead where the source has
not sent the kind, or p_group_by is a label that no series has.';
