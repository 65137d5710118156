create or replace function internal.counter_after(
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
            and sample.ts >= p_at
            and sample.ts < p_at + interval '168 hours'
        order by sample.ts
        limit 1
    )
    union all
    (
        select
            hour.value_first_at as ts,
            hour.value_first as value
        from data.sample_1h as hour
        where
            hour.series_id = p_series
            and hour.bucket >= p_at
            and hour.bucket < p_hours_end
        order by hour.bucket
        limit 1
    )
    order by ts
    limit 1;
end;
comment on function internal.counter_after(bigint, timestamptz, timestamptz) is
'The oldest reading of a counter at or after p_at, less than 7 days after: of its samples, and of its
hours before p_hours_end.';
