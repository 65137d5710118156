create or replace function internal.compare_samples(
    p_samples data.series_samples[],
    p_histograms data.histogram[],
    out missing integer,
    out different integer[]
)
language plpgsql stable
as $$
declare
    v_oldest constant timestamptz := (select min(series.oldest) from unnest(p_samples) as series);
    v_newest constant timestamptz := (select max(series.newest) from unnest(p_samples) as series);
begin
    select
        count(*) filter (where item.is_different is null),
        array_agg(item.place) filter (where item.is_different)
    into missing, different
    from (
        select
            sent.place,
            -- Not a join: one probe of the index for each item, whatever the statistics say.
            (
                select
                    (
                        sent.value,
                        coalesce((p_histograms[sent.place]).observations, 1),
                        (p_histograms[sent.place]).sketch,
                        (p_histograms[sent.place]).sketch_other
                    )
                    is distinct from (sample.value, sample.observations, sample.sketch, sample.sketch_other)
                from data.sample
                where
                    sample.series_id = sent.series_id
                    and sample.ts = sent.ts
                    and sample.seq = 0
                    -- Excludes chunks once, not for each item.
                    and sample.ts between v_oldest and v_newest
            ) as is_different
        from internal.unnest_samples(p_samples) as sent
        offset 0 -- noqa: AM09
    ) as item;
end
$$;
comment on function internal.compare_samples(data.series_samples[], data.histogram[]) is
'Of samples, how many are not stored, and the places of those whose series and time are
stored with another value.';
