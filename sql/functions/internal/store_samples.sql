create or replace function internal.store_samples(
    p_series bigint[],
    p_kinds bigint[],
    p_counters boolean[],
    p_instants timestamptz[],
    p_readings double precision[],
    p_places integer[],
    p_histograms data.histogram[],
    p_now timestamptz,
    out accepted integer,
    out late integer,
    out different integer[]
)
language plpgsql
as $$
declare
    v_kinds bigint[];
    v_instants timestamptz[];
    v_known record;
begin
    -- `on conflict` takes half as long again, so only a batch that meets a stored sample uses it.
    insert into data.sample (
        series_id, kind_id, ts, seq, value, observations, counter, low, high, sketch, sketch_other
    )
    select
        item.series_id, item.kind_id, item.ts, 0, item.value, coalesce((p_histograms[item.place]).observations, 1),
        item.counter, (p_histograms[item.place]).low, (p_histograms[item.place]).high,
        (p_histograms[item.place]).sketch, (p_histograms[item.place]).sketch_other
    from unnest(p_series, p_kinds, p_instants, p_readings, p_counters, p_places)
        as item (series_id, kind_id, ts, value, counter, place);
    get diagnostics accepted = row_count;
    late := internal.note_late(p_kinds, p_instants, p_now);
exception
    when unique_violation then
        accepted := 0;
        late := 0;
        v_known := internal.compare_samples(p_series, p_instants, p_readings, p_places, p_histograms);
        if v_known.missing > 0 then
            with stored as (
                insert into data.sample (
                    series_id, kind_id, ts, seq, value, observations, counter, low, high, sketch, sketch_other
                )
                select
                    item.series_id, item.kind_id, item.ts, 0, item.value,
                    coalesce((p_histograms[item.place]).observations, 1),
                    item.counter, (p_histograms[item.place]).low, (p_histograms[item.place]).high,
                    (p_histograms[item.place]).sketch, (p_histograms[item.place]).sketch_other
                from unnest(p_series, p_kinds, p_instants, p_readings, p_counters, p_places)
                    as item (series_id, kind_id, ts, value, counter, place)
                on conflict (series_id, ts, seq) do nothing
                returning kind_id, ts
            )
            select
                count(*),
                array_agg(stored.kind_id),
                array_agg(stored.ts)
            into accepted, v_kinds, v_instants
            from stored;
            late := internal.note_late(v_kinds, v_instants, p_now);
            -- An item may also repeat another one of the batch, or of another batch meanwhile.
            if accepted < v_known.missing then
                v_known := internal.compare_samples(p_series, p_instants, p_readings, p_places, p_histograms);
            end if;
        end if;
        different := v_known.different;
end
$$;
comment on function internal.store_samples(
    bigint[], bigint[], boolean[], timestamptz[], double precision[], integer[], data.histogram[], timestamptz
) is
'Stores samples, in order of series and time, unless they are stored already. late counts
those older than the watermark of the hourly rollup; different are the places of those that are stored
with another value.';
