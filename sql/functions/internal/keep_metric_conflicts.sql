create or replace function internal.keep_metric_conflicts(p_items jsonb, p_now timestamptz)
returns integer
language sql
begin atomic
    -- Joined to sample alone, so that one probe of its index uses both series and time.
    with item as materialized (
        select * from internal.check_metrics(p_items, p_now)
    )

    select
        internal.keep_conflicts(
            jsonb_agg(jsonb_build_object(
                'place', item.place,
                'source_id', (
                    select series.source_id from data.series
                    where series.series_id = item.series_id
                ),
                'kind_id', item.kind_id,
                'ts', item.ts,
                'item', item.item
            )),
            p_now
        )
    from item
    inner join data.sample
        on
            item.series_id = sample.series_id
            and item.ts = sample.ts
            and sample.seq = 0
    where
        item.good
        and (item.value, item.observations, item.sketch, item.sketch_other)
        is distinct from (sample.value, sample.observations, sample.sketch, sample.sketch_other);
end;
comment on function internal.keep_metric_conflicts(jsonb, timestamptz) is
'Stores the items whose series and ts are already stored with another value; returns their number.';
