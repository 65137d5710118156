create or replace function internal.empty_series(p_series bigint[], p_before timestamptz)
returns bigint[]
language sql volatile
begin atomic
    -- Volatile: planned before its snapshot is taken, it misses no samples that move to the columnstore.
    -- Scalar subqueries: the planner cannot make a join of all samples of them.
    select coalesce(array_agg(series.series_id), '{}')
    from data.series
    where
        series.series_id = any(p_series)
        and series.created_at < p_before
        and (
            select true from data.sample
            where sample.series_id = series.series_id and sample.seq = 0
            order by sample.ts desc
            limit 1
        ) is null
        and (
            select true from data.sample
            where sample.series_id = series.series_id and sample.seq > 0
            order by sample.ts desc
            limit 1
        ) is null
        and (
            select true from data.sample_1d
            where sample_1d.series_id = series.series_id
            order by sample_1d.bucket desc
            limit 1
        ) is null
        and (
            select true from data.sample_1h
            where sample_1h.series_id = series.series_id
            order by sample_1h.bucket desc
            limit 1
        ) is null
        and (
            select true from data.fact
            where fact.series_id = series.series_id
            order by fact.ts desc
            limit 1
        ) is null;
end;
comment on function internal.empty_series(bigint[], timestamptz) is
'Those of the series that were registered before that time and have no sample, fact or rollup.';
