create or replace function internal.read_histograms(p_items json) returns data.histogram []
language plpgsql immutable
-- The planner does not know how many items a JSON text has.
set enable_nestloop = off
as $$
begin
    if p_items::text not like '%"bounds"%' then
        return null;
    end if;
    return (
        -- Each `offset 0` keeps the planner from computing an expression once for each of its uses.
        with item as materialized (
            select
                entry.value::text as value,
                entry.place
            from rows from (json_to_recordset(p_items) as (value json)) with ordinality as entry (value, place)
        ),
        sent as (
            select
                item.place,
                field.bounds::text,
                internal.read_number(field.sum::jsonb) as sum,
                case
                    when
                        translate(field.count::text, '0123456789', '') = ''
                        and octet_length(field.count::text) <= 10
                        then field.count::text::bigint
                end as observations,
                -- An array of SQL would take "1" for a number too.
                case when strpos(field.counts::text, '"') = 0 then translate(field.counts::text, '[]', '{}') end
                    as counts,
                -- A field that is unknown or repeated adds a comma that is not in this.
                octet_length(item.value) - octet_length(replace(item.value, ',', ''))
                = 3 + octet_length(lists.text) - octet_length(replace(lists.text, ',', '')) as has_all
            from item
            cross join
                lateral json_to_record(item.value::json)
                    as field (bounds json, counts json, sum json, count json)
            cross join lateral (select concat(field.bounds, field.counts) as text) as lists
            where item.value like '{%'
            offset 0 -- noqa: AM09
        ),
        histogram as materialized (
            select
                sent.place,
                sent.bounds,
                sent.sum,
                sent.observations,
                sent.counts::integer[] as counts
            from sent
            where
                sent.has_all
                and sent.sum is not null
                and sent.observations <= 2147483647
                and (sent.observations > 0 or sent.sum = 0)
                and pg_input_is_valid(sent.counts, 'integer[]')
            offset 0 -- noqa: AM09
        ),
        -- Senders repeat their bounds: those of a batch are read once, and become sketches once.
        edge as (
            select
                spelling.bounds,
                array(
                    select internal.read_number(bound)
                    from jsonb_array_elements(spelling.bounds::jsonb) as bound
                ) as edges
            from (select distinct histogram.bounds from histogram where histogram.bounds like '[%') as spelling
            offset 0 -- noqa: AM09
        ),
        bucket as (
            select
                edge.bounds,
                cardinality(edge.edges) + 1 as buckets,
                step.place,
                case
                    when step.place > 1 then edge.edges[step.place - 1]
                    when edge.edges[1] > 0 then 0
                    else '-infinity'
                end as low,
                coalesce(edge.edges[step.place], 'infinity') as high,
                greatest(abs(edge.edges[step.place - 1]), abs(edge.edges[step.place])) as size
            from edge
            cross join lateral generate_series(1, cardinality(edge.edges) + 1) as step (place)
            where
                cardinality(edge.edges) between 1 and 500
                and array_position(edge.edges, null) is null
                and edge.edges = array(select distinct bound from unnest(edge.edges) as bound order by bound)
            offset 0 -- noqa: AM09
        ),
        sketched as (
            select
                bucket.*,
                internal.sketch(represented.middle) as sketch,
                internal.sketch_other(represented.middle) as sketch_other
            from bucket
            cross join lateral (
                select case when bucket.low = '-infinity' then bucket.low else (bucket.low + bucket.high) / 2 end
                    as middle
                offset 0
            ) as represented
            offset 0 -- noqa: AM09
        ),
        counted as (
            select
                histogram.place,
                histogram.bounds,
                histogram.sum,
                histogram.observations,
                cardinality(histogram.counts) as buckets,
                unnest(histogram.counts) as n,
                generate_subscripts(histogram.counts, 1) as bucket
            from histogram
            where array_ndims(histogram.counts) = 1 and array_position(histogram.counts, null) is null
        ),
        -- What read_histogram computes, of those that have nothing wrong.
        summed as (
            select
                counted.place,
                min(counted.sum) as sum,
                min(counted.observations) as observations,
                min(counted.n) as fewest,
                sum(counted.n) as total,
                sum(nullif(counted.n, 0) * sketched.low) as least,
                sum(nullif(counted.n, 0) * sketched.high) as most,
                1e-6 * sum(counted.n * sketched.size) as slack,
                min(case when counted.n > 0 then sketched.low end) as low,
                max(case when counted.n > 0 then sketched.high end) as high,
                coalesce(internal.sum_sketches(nullif(counted.n, 0) * sketched.sketch), 0) as sketch,
                internal.sum_sketches(nullif(counted.n, 0) * sketched.sketch_other) as sketch_other
            from counted
            inner join sketched
                on
                    counted.bounds = sketched.bounds
                    and counted.bucket = sketched.place
                    and counted.buckets = sketched.buckets
            -- The first bucket is there for a histogram without observations.
            where counted.n <> 0 or counted.bucket = 1
            group by counted.place
        ),
        good as (
            select
                summed.place,
                row(
                    summed.observations,
                    summed.sum,
                    summed.low,
                    summed.high,
                    summed.sketch,
                    summed.sketch_other,
                    null
                )::data.histogram as histogram
            from summed
            where
                summed.fewest >= 0
                and summed.total = summed.observations
                and summed.sum between coalesce(summed.least - summed.slack, 0) and coalesce(summed.most + summed.slack, 0)
        )
        select
            array_agg(
                case
                    when good.place is not null then good.histogram
                    when item.value like '{%' and item.value is json with unique keys
                        then internal.read_histogram(item.value::jsonb)
                end
                order by item.place
            )
        from item
        left join good on item.place = good.place
    );
end
$$;
comment on function internal.read_histograms(json) is
'What read_histogram makes of the values of a batch, in the order of its items; null for a value that is
no object, or that repeats a key, and for a batch without bounds.';
