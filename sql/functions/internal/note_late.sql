create or replace function internal.note_late(
    p_samples data.series_samples[], p_oldest timestamptz, p_now timestamptz
)
returns integer
language plpgsql
as $$
declare
    v_late_before constant timestamptz := internal.late_before(p_now);
    v_late integer;
begin
    if v_late_before <= p_oldest then
        return 0;
    end if;
    with overdue as (
        insert into data.late_hour (kind_id, bucket, samples)
        select
            series.kind_id,
            time_bucket(interval '1 hour', sample.ts),
            count(*)
        from unnest(p_samples) as series
        cross join lateral unnest(series.instants) as sample (ts)
        where sample.ts < v_late_before
        group by 1, 2
        order by 1, 2
        returning bucket, samples
    )
    select coalesce(sum(overdue.samples), 0) into v_late
    from overdue
    where overdue.bucket < (select internal.watermark('sample_1h'));
    return v_late;
end
$$;
comment on function internal.note_late(data.series_samples[], timestamptz, timestamptz) is
'Notes stored samples in data.late_hour that a finished or running refresh may miss; returns how many are
older than the watermark of the hourly rollup.';
