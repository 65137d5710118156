create or replace function internal.store_samples(
    p_plain data.plain_metrics,
    p_now timestamptz,
    out accepted integer,
    out late integer,
    out different integer[]
)
language plpgsql
as $$
declare
    v_known record;
begin
    -- `on conflict` takes half as long again, so only a batch that meets a stored sample uses it.
    insert into data.sample (
        series_id, kind_id, ts, seq, value, observations, counter, low, high, sketch, sketch_other
    )
    select
        item.series_id, item.kind_id, item.ts, 0, item.value, coalesce((p_plain.histograms[item.place]).observations, 1),
        item.counter, (p_plain.histograms[item.place]).low, (p_plain.histograms[item.place]).high,
        (p_plain.histograms[item.place]).sketch, (p_plain.histograms[item.place]).sketch_other
    from internal.unnest_samples(p_plain.samples) as item
    -- Two batches with the same samples wait for each other in one order.
    order by item.series_id, item.ts, item.place;
    get diagnostics accepted = row_count;
    late := internal.note_late(p_plain.samples, p_plain.oldest, p_now);
exception
    when unique_violation then
        accepted := 0;
        late := 0;
        -- Not only what comparing takes: a job that converts a chunk would come in between, and each would
        -- wait for the other.
        lock table data.sample in row exclusive mode;
        v_known := internal.compare_samples(p_plain.samples, p_plain.histograms);
        if v_known.missing > 0 then
            with stored as (
                insert into data.sample (
                    series_id, kind_id, ts, seq, value, observations, counter, low, high, sketch, sketch_other
                )
                select
                    item.series_id, item.kind_id, item.ts, 0, item.value, coalesce((p_plain.histograms[item.place]).observations, 1),
                    item.counter, (p_plain.histograms[item.place]).low, (p_plain.histograms[item.place]).high,
                    (p_plain.histograms[item.place]).sketch, (p_plain.histograms[item.place]).sketch_other
                from internal.unnest_samples(p_plain.samples) as item
                -- Two batches with the same samples wait for each other in one order.
                order by item.series_id, item.ts, item.place
                on conflict (series_id, ts) where seq = 0 do nothing
                returning kind_id, ts
            ),
            by_kind as (
                select
                    count(*) as samples,
                    row(
                        null, stored.kind_id, null, array_agg(stored.ts), null, null, min(stored.ts), max(stored.ts)
                    )::data.series_samples as instants
                from stored
                group by stored.kind_id
            )
            select
                coalesce(sum(by_kind.samples), 0),
                internal.note_late(array_agg(by_kind.instants), p_plain.oldest, p_now)
            into accepted, late
            from by_kind;
            -- An item may also repeat another one of the batch, or of another batch meanwhile.
            if accepted < v_known.missing then
                v_known := internal.compare_samples(p_plain.samples, p_plain.histograms);
            end if;
        end if;
        different := v_known.different;
end
$$;
comment on function internal.store_samples(data.plain_metrics, timestamptz) is
'Stores samples, unless they are stored already. late counts those older than the watermark of the
hourly rollup; different are the places of those that are stored with another value.';
