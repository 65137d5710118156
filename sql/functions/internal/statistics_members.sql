create or replace function internal.statistics_members(p_statistics data.statistics, p_names text[])
returns text
language sql stable parallel safe
begin atomic
    -- Spaced as json_build_object does, and three times as fast as to choose among its members.
    select concat_ws(
        ', ',
        '"group" : ' || to_json((p_statistics).label),
        case
            when internal.is_asked(p_names, 'count')
                then '"count" : ' || coalesce((p_statistics).count, 0)
        end,
        case
            when internal.is_asked(p_names, 'sum')
                then '"sum" : ' || coalesce(to_json((p_statistics).sum)::text, 'null')
        end,
        case
            when internal.is_asked(p_names, 'avg')
                then '"avg" : ' || coalesce(to_json((p_statistics).avg)::text, 'null')
        end,
        case
            when internal.is_asked(p_names, 'min')
                then '"min" : ' || coalesce(to_json((p_statistics).min)::text, 'null')
        end,
        case
            when internal.is_asked(p_names, 'max')
                then '"max" : ' || coalesce(to_json((p_statistics).max)::text, 'null')
        end,
        case
            when internal.is_asked(p_names, 'stddev')
                then '"stddev" : ' || coalesce(to_json((p_statistics).stddev)::text, 'null')
        end,
        case
            when internal.is_asked(p_names, 'last')
                then '"last" : ' || coalesce(to_json((p_statistics).last)::text, 'null')
        end,
        case
            when internal.is_asked(p_names, 'p50')
                then '"p50" : ' || coalesce(to_json((p_statistics).p50)::text, 'null')
        end,
        case
            when internal.is_asked(p_names, 'p90')
                then '"p90" : ' || coalesce(to_json((p_statistics).p90)::text, 'null')
        end,
        case
            when internal.is_asked(p_names, 'p95')
                then '"p95" : ' || coalesce(to_json((p_statistics).p95)::text, 'null')
        end,
        case
            when internal.is_asked(p_names, 'p99')
                then '"p99" : ' || coalesce(to_json((p_statistics).p99)::text, 'null')
        end,
        case
            when internal.is_asked(p_names, 'rate_per_second')
                then
                    '"rate_per_second" : '
                    || coalesce(to_json((p_statistics).rate_per_second)::text, '0')
        end
    );
end;
comment on function internal.statistics_members(data.statistics, text[]) is
'Statistics as the members of a JSON object, without its braces: those in p_names, all where it is null; with
their group, if they have one. Of no samples, a count of 0 and nulls.';
