create or replace function internal.read_histograms(p_items json) returns data.histogram[]
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
                and sent.sum between -1e140 and 1e140
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
                coalesce(edge.edges[step.place], 'infinity') as high
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
        ),
        weighed as (
            select
                counted.place,
                counted.sum,
                counted.observations,
                nullif(counted.n, 0) as n,
                nullif(counted.n, 0)::numeric as weight,
                sketched.low,
                sketched.high,
                sketched.sketch,
                sketched.sketch_other
            from counted
            inner join sketched
                on
                    counted.bounds = sketched.bounds
                    and counted.bucket = sketched.place
                    and counted.buckets = sketched.buckets
            -- The first bucket is there for a histogram without observations.
            where counted.n <> 0 or counted.bucket = 1
            offset 0 -- noqa: AM09
        ),
        -- What read_histogram computes, of those that have nothing wrong.
        summed as (
            select
                weighed.place,
                min(weighed.sum) as sum,
                min(weighed.observations) as observations,
                coalesce(sum(weighed.n), 0) as total,
                coalesce(sum(weighed.n * weighed.low), 0) as least,
                coalesce(sum(weighed.n * weighed.high), 0) as most,
                min(case when weighed.n > 0 then weighed.low end) as low,
                max(case when weighed.n > 0 then weighed.high end) as high,
                coalesce(sum(weighed.weight * weighed.sketch), 0) as sketch,
                sum(weighed.weight * weighed.sketch_other) as sketch_other
            from weighed
            group by weighed.place
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
                summed.total = summed.observations
                -- With the rounding of 32-bit numbers; read_histogram may still accept another one.
                and summed.sum >= summed.least - 1e-6 * abs(summed.least)
                and summed.sum <= summed.most + 1e-6 * abs(summed.most)
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
