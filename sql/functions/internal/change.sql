create or replace function internal.change(p_now data.core, p_before data.core) returns json
language sql immutable parallel safe
begin atomic
    select
        json_object_agg(
            name,
            internal.quotient(now - before, abs(before))
        )
    from (
        values
        ('count', (p_now).count::double precision, (p_before).count::double precision),
        ('sum', (p_now).sum, (p_before).sum),
        ('avg', (p_now).avg, (p_before).avg),
        ('min', (p_now).min, (p_before).min),
        ('max', (p_now).max, (p_before).max),
        ('stddev', (p_now).stddev, (p_before).stddev),
        ('p50', (p_now).p50, (p_before).p50),
        ('p90', (p_now).p90, (p_before).p90),
        ('p95', (p_now).p95, (p_before).p95),
        ('p99', (p_now).p99, (p_before).p99),
        ('rate_per_second', (p_now).rate_per_second, (p_before).rate_per_second)
    ) as number (name, now, before);
end;
comment on function internal.change(data.core, data.core) is
'Relative change of every number, (now - before) / |before|; null where there was none or zero.';
