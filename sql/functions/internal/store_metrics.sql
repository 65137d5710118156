create or replace function internal.store_metrics(
    p_items jsonb,
    p_partial boolean,
    p_now timestamptz,
    out rejected jsonb,
    out unregistered integer,
    out accepted integer,
    out late integer,
    out kinds text[]
)
language plpgsql
as $$
begin
    with item as materialized (
        -- A boolean keeps the planner's estimate near the truth; it takes `is null` for one in 200.
        select
            checked.*,
            checked.slug is null as good
        -- Without `offset 0` the planner would compute slug once for each of its uses.
        from (select * from internal.check_metrics(p_items, p_now) offset 0) as checked -- noqa: AM09
    ),
    verdict as materialized (
        select
            count(*) filter (where slug is null and series_id is null) as unregistered,
            count(*) filter (where slug is not null) as bad,
            bool_and(series_id is not null or slug is not null) and (bool_and(slug is null) or p_partial)
                as storable
        from item
    ),
    stored as (
        insert into data.sample (
            series_id, kind_id, ts, seq, value, observations, counter, low, high, sketch
        )
        select
            item.series_id, item.kind_id, item.ts, 0, item.value, item.observations, item.counter,
            item.low, item.high, item.sketch
        from item
        cross join verdict
        where item.good and verdict.storable
        -- So that two batches with the same samples wait for each other in one order.
        order by item.series_id, item.ts
        on conflict (series_id, ts, seq) do nothing
        returning kind_id, ts
    ),
    overdue as (
        insert into data.late (kind_id, bucket, samples)
        select
            stored.kind_id,
            time_bucket(interval '1 hour', stored.ts),
            count(*)
        from stored
        where stored.ts < (select internal.late_before(p_now))
        group by 1, 2
        order by 1, 2
        returning bucket, samples
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
            where kind.kind_id in (select stored.kind_id from stored)
        ),
        case when verdict.bad = 0 then '[]' else (
            select jsonb_agg(
                jsonb_build_object(
                    'index', item.place, 'field', rule.field, 'slug', item.slug, 'detail', rule.detail
                ) order by item.place
            )
            from item
            cross join lateral internal.explain_fault(item.slug, item.item) as rule
            where item.slug is not null
        ) end
    into unregistered, accepted, late, kinds, rejected
    from verdict;
end
$$;
comment on function internal.store_metrics(jsonb, boolean, timestamptz) is
'Stores the samples of a batch, in one statement, unless an item is bad or its series unknown.
late counts the samples older than the hourly rollup''s watermark; those that a
refresh under way may miss are noted in data.late, too.';
