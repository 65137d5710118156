create or replace function internal.keep_metric_conflicts(p_items jsonb, p_now timestamptz)
returns integer
language plpgsql
as $$
begin
    return internal.keep_conflicts(
        (
            with item as materialized (
                select * from internal.check_metrics(p_items, p_now)
            )

            select
                jsonb_agg(jsonb_build_object(
                    'place', item.place,
                    'source_id', (
                        select series.source_id from data.series
                        where series.series_id = item.series_id
                    ),
                    'kind_id', item.kind_id,
                    'ts', item.ts,
                    'item', item.item
                ))
            from item
            where
                item.good
                -- Not a join: one probe of the index for each item, whatever the statistics say.
                and (
                    select
                        (item.value, item.observations, item.sketch, item.sketch_other)
                        is distinct from
                        (sample.value, sample.observations, sample.sketch, sample.sketch_other)
                    from data.sample
                    where
                        sample.series_id = item.series_id
                        and sample.ts = item.ts
                        and sample.seq = 0
                )
        ),
        p_now
    );
end
$$;
comment on function internal.keep_metric_conflicts(jsonb, timestamptz) is
'Stores the items whose series and ts are already stored with another value; returns their number.';
