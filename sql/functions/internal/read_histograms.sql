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
                translate(field.counts::text, '[]', '{}') as counts,
                case
                    when
                        translate(field.count::text, '0123456789', '') = ''
                        and octet_length(field.count::text) <= 10
                        then field.count::text::bigint
                end as observations,
                -- Whole numbers have no other characters.
                translate(field.counts::text, E'0123456789, \t\n\r', '') = '[]'
                -- A field that is unknown or repeated adds a comma that is not in this.
                and octet_length(item.value) - octet_length(replace(item.value, ',', ''))
                = 3 + octet_length(lists.text) - octet_length(replace(lists.text, ',', '')) as common
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
                sent.counts::integer [] as counts
            from sent
            where
                sent.common
                and sent.sum is not null
                and sent.observations <= 2147483647
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
        ascending as (
            select
                edge.bounds,
                edge.edges,
                cardinality(edge.edges) as edge_count
            from edge
            where
                cardinality(edge.edges) between 1 and 500
                and array_position(edge.edges, null) is null
                and edge.edges = array(select distinct bound from unnest(edge.edges) as bound order by bound)
        ),
        bucket as (
            select
                ascending.bounds,
                ascending.edge_count,
                step.place,
                ascending.edges[step.place - 1] as lower,
                ascending.edges[step.place] as upper,
                case
                    when step.place > 1 then ascending.edges[step.place - 1]
                    when ascending.edges[1] > 0 then 0
                    else '-infinity'
                end as low,
                coalesce(ascending.edges[step.place], 'infinity') as high
            from ascending
            cross join lateral generate_series(1, ascending.edge_count + 1) as step (place)
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
                unnest(histogram.counts) as n,
                generate_subscripts(histogram.counts, 1) as bucket
            from histogram
        ),
        -- As read_histogram does, where nothing is wrong.
        summed as (
            select
                counted.place,
                sum(counted.n) as observations,
                min(sketched.edge_count) as edge_count,
                bool_or(counted.n > 0 and sketched.low = '-infinity') as open_below,
                bool_or(counted.n > 0 and sketched.upper is null) as open_above,
                sum(counted.n * coalesce(sketched.lower, 0)) as least,
                sum(counted.n * sketched.upper) as most,
                1e-6 * sum(counted.n * greatest(abs(sketched.lower), abs(sketched.upper))) as slack,
                min(sketched.low) filter (where counted.n > 0) as low,
                max(sketched.high) filter (where counted.n > 0) as high,
                coalesce(internal.sum_sketches(counted.n * sketched.sketch) filter (where counted.n > 0), 0) as sketch,
                internal.sum_sketches(counted.n * sketched.sketch_other) filter (where counted.n > 0) as sketch_other
            from counted
            inner join sketched on counted.bounds = sketched.bounds and counted.bucket = sketched.place
            group by counted.place
        ),
        good as (
            select
                histogram.place,
                row(
                    histogram.observations,
                    histogram.sum,
                    summed.low,
                    summed.high,
                    summed.sketch,
                    summed.sketch_other,
                    null
                )::data.histogram as histogram
            from histogram
            inner join summed on histogram.place = summed.place
            where
                cardinality(histogram.counts) = summed.edge_count + 1
                and summed.observations = histogram.observations
                and (histogram.observations > 0 or histogram.sum = 0)
                and (summed.open_below or histogram.sum >= summed.least - summed.slack)
                and (summed.open_above or histogram.sum <= summed.most + summed.slack)
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
