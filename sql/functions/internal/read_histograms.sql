create or replace function internal.read_histograms(p_items json) returns data.histogram[]
language plpgsql immutable
-- The planner does not know how many items a JSON text has.
set enable_nestloop = off
as $$
begin
    if strpos(p_items::text, '"bounds"') = 0 then
        return null;
    end if;
    return (
        with item as materialized (
            select
                entry.value::text as value,
                entry.place
            from rows from (json_to_recordset(p_items) as (value json)) with ordinality as entry (value, place)
        ),
        object as (
            select
                ('[' || string_agg(item.value, ',' order by item.place) || ']')::json as list,
                array_agg(item.place order by item.place) as places,
                array_agg(
                    octet_length(item.value) - octet_length(replace(item.value, ',', '')) order by item.place
                ) as commas
            from item
            where item.value like '{%'
        ),
        -- Each `offset 0` keeps the planner from computing an expression once for each of its uses.
        sent as (
            select
                object.places[field.number] as place,
                field.bounds::text,
                -- As read_plain_metrics does.
                case
                    when
                        field.sum::text collate "C" between '-' and ':'
                        and field.sum::text not like '_%-___%'
                        and octet_length(field.sum::text) < 100
                        then field.sum::text::double precision + 0.0
                end as sum,
                case
                    when
                        translate(field.count::text, '0123456789', '') = ''
                        and octet_length(field.count::text) <= 10
                        then field.count::text::bigint
                end as observations,
                -- Whole numbers have no other characters; an array of SQL would take "1" for one too.
                case
                    when translate(field.counts::text, E'0123456789, \t\n\r', '') = '[]'
                        then translate(field.counts::text, '[]', '{}')
                end as counts,
                -- A field that is unknown or repeated adds a comma that is not in this.
                object.commas[field.number]
                = 3 + octet_length(lists.text) - octet_length(replace(lists.text, ',', '')) as has_all
            from object
            cross join
                lateral rows from (
                    json_to_recordset(object.list) as (bounds json, counts json, sum json, count json)
                ) with ordinality as field (bounds, counts, sum, count, number)
            cross join lateral (select concat(field.bounds, field.counts) as text) as lists
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
                and sent.sum between -1e140 and 1e140
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
        bucket as (
            select
                edge.bounds,
                step.place,
                case
                    when step.place > 1 then edge.edges[step.place - 1]
                    when edge.edges[1] > 0 then 0
                    else '-infinity'
                end as low,
                coalesce(edge.edges[step.place], 'infinity') as high
            from edge
            cross join lateral generate_series(1, cardinality(edge.edges) + 1) as step (place)
            where
                cardinality(edge.edges) between 1 and 500
                and array_position(edge.edges, null) is null
                and edge.edges = array(select distinct bound from unnest(edge.edges) as bound order by bound)
            offset 0 -- noqa: AM09
        ),
        sketched as materialized (
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
        -- Sums take time for all digits down to the decimal point: meanwhile the lowest bin is there.
        layout as (
            select
                sketched.bounds,
                min(lowest.sketch) as unit,
                array_agg(sketched.low order by sketched.place) as lows,
                array_agg(sketched.high order by sketched.place) as highs,
                array_agg(trim_scale(sketched.sketch / lowest.sketch) order by sketched.place) as sketches,
                array_agg(sketched.sketch_other order by sketched.place) as others
            from sketched
            inner join
                (select bounds, min(sketch) as sketch from sketched group by bounds) as lowest
                on sketched.bounds = lowest.bounds
            group by sketched.bounds
        )
        -- What read_histogram computes, of those that have nothing wrong.
        select
            array_agg(
                case
                    when
                        summed.total = histogram.observations
                        -- With the rounding of 32-bit numbers; read_histogram may still accept another one.
                        and histogram.sum >= summed.least - 1e-6 * abs(summed.least)
                        and histogram.sum <= summed.most + 1e-6 * abs(summed.most)
                        then
                            row(
                                histogram.observations,
                                histogram.sum,
                                summed.low,
                                summed.high,
                                coalesce(summed.sketch * layout.unit, 0),
                                summed.sketch_other,
                                null
                            )::data.histogram
                    when item.value like '{%' and item.value is json with unique keys
                        then internal.read_histogram(item.value::jsonb)
                end
                order by item.place
            )
        from item
        left join histogram on item.place = histogram.place
        left join layout
            on
                histogram.bounds = layout.bounds
                and cardinality(histogram.counts) = cardinality(layout.lows)
        -- For each histogram by itself: groups of all of them take more memory than a cache has.
        left join lateral (
            select
                coalesce(sum(bucket.n), 0) as total,
                coalesce(sum(bucket.n * bucket.low), 0) as least,
                coalesce(sum(bucket.n * bucket.high), 0) as most,
                min(bucket.low) as low,
                max(bucket.high) as high,
                sum(bucket.n * bucket.sketch) as sketch,
                sum(bucket.n * bucket.sketch_other) as sketch_other
            from (
                select
                    unnest(histogram.counts) as n,
                    unnest(layout.lows) as low,
                    unnest(layout.highs) as high,
                    unnest(layout.sketches) as sketch,
                    unnest(layout.others) as sketch_other
                offset 0
            ) as bucket
            where bucket.n > 0
        ) as summed on layout.bounds is not null
    );
end
$$;
comment on function internal.read_histograms(json) is
'What read_histogram makes of the values of a batch, in the order of its items; null for a value that is
no object, or that repeats a key, and for a batch without bounds.';
