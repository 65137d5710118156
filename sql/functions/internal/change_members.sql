create or replace function internal.change_members(
    p_current data.statistics, p_previous data.statistics, p_names text[]
)
returns text
language sql stable parallel safe
begin atomic
    -- Of no samples, a count and a rate of 0, as in statistics_members.
    select concat_ws(
        ', ',
        case
            when internal.needs(p_names, '{count}')
                then internal.change_member('count', coalesce((p_current).count, 0), (p_previous).count)
        end,
        case
            when internal.needs(p_names, '{sum}')
                then internal.change_member('sum', (p_current).sum, (p_previous).sum)
        end,
        case
            when internal.needs(p_names, '{avg}')
                then internal.change_member('avg', (p_current).avg, (p_previous).avg)
        end,
        case
            when internal.needs(p_names, '{min}')
                then internal.change_member('min', (p_current).min, (p_previous).min)
        end,
        case
            when internal.needs(p_names, '{max}')
                then internal.change_member('max', (p_current).max, (p_previous).max)
        end,
        case
            when internal.needs(p_names, '{stddev}')
                then internal.change_member('stddev', (p_current).stddev, (p_previous).stddev)
        end,
        case
            when internal.needs(p_names, '{p50}')
                then internal.change_member('p50', (p_current).p50, (p_previous).p50)
        end,
        case
            when internal.needs(p_names, '{p90}')
                then internal.change_member('p90', (p_current).p90, (p_previous).p90)
        end,
        case
            when internal.needs(p_names, '{p95}')
                then internal.change_member('p95', (p_current).p95, (p_previous).p95)
        end,
        case
            when internal.needs(p_names, '{p99}')
                then internal.change_member('p99', (p_current).p99, (p_previous).p99)
        end,
        case
            when internal.needs(p_names, '{rate_per_second}')
                then internal.change_member(
                    'rate_per_second', coalesce((p_current).rate_per_second, 0), (p_previous).rate_per_second
                )
        end
    );
end;
comment on function internal.change_members(data.statistics, data.statistics, text[]) is
'Relative change of each statistic in p_names, of all where it is null, as the members of a JSON object
without its braces.';
