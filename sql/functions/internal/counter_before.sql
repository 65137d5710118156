create or replace function internal.counter_before(
    p_series bigint, p_at timestamptz, p_hours_end timestamptz
)
returns table (ts timestamptz, value double precision)
language sql stable
begin atomic
    (
        select
            sample.ts,
            sample.value
        from data.sample
        where
            sample.series_id = p_series
            and sample.seq = 0
            and sample.ts >= p_at - interval '168 hours'
            and sample.ts < p_at
        order by sample.ts desc
        limit 1
    )
    union all
    (
        select
            hour.value_last_at as ts,
            hour.value_last as value
        from data.sample_1h as hour
        where
            hour.series_id = p_series
            and hour.bucket >= p_at - interval '168 hours'
            and hour.bucket < p_hours_end
        order by hour.bucket desc
        limit 1
    )
    order by ts desc
    limit 1;
end;
comment on function internal.counter_before(bigint, timestamptz, timestamptz) is
'The newest reading of a counter before p_at, at most 7 days before: of its samples, and of its hours
before p_hours_end.';
