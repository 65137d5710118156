create or replace function internal.change_json(
    p_current data.statistics, p_previous data.statistics, p_names text[]
)
returns json
language sql immutable parallel safe
begin atomic
    select coalesce(json_object_agg(name, internal.quotient(current - previous, abs(previous))), '{}')
    from (
        values
        ('count', (p_current).count::double precision, (p_previous).count::double precision),
        ('sum', (p_current).sum, (p_previous).sum),
        ('avg', (p_current).avg, (p_previous).avg),
        ('min', (p_current).min, (p_previous).min),
        ('max', (p_current).max, (p_previous).max),
        ('stddev', (p_current).stddev, (p_previous).stddev),
        ('p50', (p_current).p50, (p_previous).p50),
        ('p90', (p_current).p90, (p_previous).p90),
        ('p95', (p_current).p95, (p_previous).p95),
        ('p99', (p_current).p99, (p_previous).p99),
        ('rate_per_second', (p_current).rate_per_second, (p_previous).rate_per_second)
    ) as statistic (name, current, previous)
    where internal.needs(p_names, array[name]);
end;
comment on function internal.change_json(data.statistics, data.statistics, text[]) is
'Relative change of each statistic in p_names, of all where it is null: (current - previous) / |previous|;
null where previous is null or zero.';
