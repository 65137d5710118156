create or replace function internal.keep_metric_conflicts(p_items jsonb, p_now timestamptz)
returns integer
language sql
begin atomic
    with kept as (
        insert into data.conflict (received_at, kind_id, source_id, ts, item)
        select
            p_now,
            item.kind_id,
            series.source_id,
            item.ts,
            item.item
        from internal.check_metrics(p_items, p_now) as item
        inner join data.series on item.series_id = series.series_id
        inner join data.sample
            on
                item.series_id = sample.series_id
                and item.ts = sample.ts
                and sample.seq = 0
        where
            item.slug is null
            and (item.value, item.observations, item.sketch)
            is distinct from (sample.value, sample.observations, sample.sketch)
        returning 1
    )

    select count(*)::integer from kept;
end;
comment on function internal.keep_metric_conflicts(jsonb, timestamptz) is
'Keeps the items apart whose series and instant are stored with another value; says how many.';
