create or replace function internal.store_metrics(
    p_items jsonb,
    p_partial boolean,
    p_now timestamptz,
    out bad_items jsonb,
    out bad integer,
    out unregistered integer,
    out accepted integer,
    out late integer,
    out kinds text[]
)
language plpgsql
as $$
begin
    with item as materialized (
        -- Without `offset 0` the planner computes good once for each of its uses.
        select * from internal.check_metrics(p_items, p_now) offset 0 -- noqa: AM09
    ),
    verdict as materialized (
        select
            count(*) filter (where good and not settled) as unregistered,
            count(*) filter (where not good) as bad,
            bool_and(settled or not good) and (bool_and(good) or p_partial) as storable
        from item
    ),
    stored as (
        insert into data.sample (
            series_id, kind_id, ts, seq, value, observations, counter, low, high, sketch, sketch_other
        )
        select
            item.series_id, item.kind_id, item.ts, 0, item.value, item.observations, item.counter,
            item.low, item.high, item.sketch, item.sketch_other
        from item
        cross join verdict
        where item.good and verdict.storable
        -- Two batches with the same samples wait for each other in one order.
        order by item.series_id, item.ts, item.place
        on conflict (series_id, ts) where seq = 0 do nothing
        returning kind_id, ts
    ),
    overdue as (
        insert into data.late_hour (kind_id, bucket, samples)
        select
            stored.kind_id,
            time_bucket(interval '1 hour', stored.ts),
            count(*)
        from stored
        where stored.ts < (select internal.late_before(p_now))
        group by 1, 2
        order by 1, 2
        returning bucket, samples
    ),
    -- Duplicates too: the acknowledgement of what stored them may have been lost.
    touched as (
        insert into data.kind_change (kind_id)
        select distinct item.kind_id
        from item
        cross join verdict
        where item.good and verdict.storable
        returning kind_id
    )
    select
        verdict.unregistered,
        (select count(*) from stored),
        (
            select coalesce(sum(overdue.samples), 0)
            from overdue
            where overdue.bucket < (select internal.watermark('sample_1h'))
        ),
        (
            select array_agg(kind.name)
            from data.kind
            where kind.kind_id in (select touched.kind_id from touched)
        ),
        verdict.bad,
        (
            select
                jsonb_agg(jsonb_build_object(
                    'index', bad_item.place,
                    'item', bad_item.item,
                    'kind_type', bad_item.kind_type,
                    'kind_unit', bad_item.kind_unit
                ))
            from (
                select
                    item.place,
                    item.item,
                    kind.type as kind_type,
                    kind.unit as kind_unit
                from item
                left join data.kind on item.kind_id = kind.kind_id
                where not item.good
                order by item.place
            ) as bad_item
        )
    into unregistered, accepted, late, kinds, bad, bad_items
    from verdict;
end
$$;
comment on function internal.store_metrics(jsonb, boolean, timestamptz) is
'Stores the samples of a batch in one statement, unless an item is bad, or its series or unit is not
registered; with p_partial the good ones among them. bad counts the bad items; bad_items: those,
[{index, item, kind_type, kind_unit}]. late counts the samples older than the watermark of the hourly rollup; data.late_hour also notes those that a running refresh may
miss.';
