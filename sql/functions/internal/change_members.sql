create or replace function internal.change_members(
    p_current data.statistics, p_previous data.statistics, p_names text[]
)
returns text
language sql stable parallel safe
begin atomic
    -- Of no samples, a count and a rate of 0, as in statistics_members.
    select concat_ws(
        ', ',
        internal.change_member(p_names, 'count', coalesce((p_current).count, 0), (p_previous).count),
        internal.change_member(p_names, 'sum', (p_current).sum, (p_previous).sum),
        internal.change_member(p_names, 'avg', (p_current).avg, (p_previous).avg),
        internal.change_member(p_names, 'min', (p_current).min, (p_previous).min),
        internal.change_member(p_names, 'max', (p_current).max, (p_previous).max),
        internal.change_member(p_names, 'stddev', (p_current).stddev, (p_previous).stddev),
        internal.change_member(p_names, 'p50', (p_current).p50, (p_previous).p50),
        internal.change_member(p_names, 'p90', (p_current).p90, (p_previous).p90),
        internal.change_member(p_names, 'p95', (p_current).p95, (p_previous).p95),
        internal.change_member(p_names, 'p99', (p_current).p99, (p_previous).p99),
        internal.change_member(
            p_names, 'rate_per_second', coalesce((p_current).rate_per_second, 0), (p_previous).rate_per_second
        )
    );
end;
comment on function internal.change_members(data.statistics, data.statistics, text[]) is
'Relative change of each statistic in p_names, of all where it is null, as the members of a JSON object
without its braces.';
