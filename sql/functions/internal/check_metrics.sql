create or replace function internal.check_metrics(p_items jsonb, p_now timestamptz)
returns table (
    place integer,
    item jsonb,
    series_id bigint,
    kind_id bigint,
    settled boolean,
    ts timestamptz,
    value double precision,
    observations integer,
    counter boolean,
    low double precision,
    high double precision,
    sketch numeric,
    sketch_other numeric,
    good boolean
)
language sql stable
begin atomic
    select
        (entry.n - 1)::integer,
        entry.item,
        entry.series_id,
        entry.kind_id,
        entry.series_id is not null and (entry.unit is null or entry.kind_unit is not null),
        entry.ts,
        coalesce(entry.sum, entry.number),
        coalesce(entry.observations, 1),
        coalesce(entry.kind_type, entry.type, 'gauge') = 'counter',
        entry.low,
        entry.high,
        entry.sketch,
        entry.sketch_other,
        -- The rules of metric_faults, which says which one an item breaks.
        coalesce(
            entry.item - '{name,source,value,ts,labels,type,unit}'::text[] = '{}'
            and jsonb_typeof(entry.item -> 'name') = 'string'
            and jsonb_typeof(entry.item -> 'source') = 'string'
            and (
                entry.series_id is not null
                or internal.fits(entry.item ->> 'name', 'metric_name')
                and internal.fits(entry.item ->> 'source', 'source_name')
                and internal.is_labels(entry.item -> 'labels')
            )
            and (
                (select internal.bound_sources()) is null
                or entry.item ->> 'source' = any((select internal.bound_sources())::text[])
            )
            and coalesce(entry.kind_type <> 'fact', not starts_with(entry.item ->> 'name', 'Fact:'))
            and coalesce(
                entry.type in ('gauge', 'counter', 'histogram')
                and entry.type = coalesce(entry.kind_type, entry.type),
                true
            )
            and case
                when entry.is_histogram
                    then
                        coalesce(entry.kind_type, entry.type, 'histogram') = 'histogram'
                        and entry.sum is not null
                        and entry.fault is null
                else
                    coalesce(entry.kind_type, entry.type, 'gauge') <> 'histogram'
                    and entry.number is not null
                    and (entry.number >= 0 or coalesce(entry.kind_type, entry.type, 'gauge') <> 'counter')
            end
            and case
                when entry.unit is null then true
                when jsonb_typeof(entry.unit) <> 'string' then false
                when entry.unit #>> '{}' = entry.kind_unit then true
                else
                    internal.fits(entry.unit #>> '{}', 'unit')
                    and internal.is_unit(entry.unit #>> '{}', entry.kind_unit)
            end
            and entry.ts <= p_now + interval '5 minutes'
            -- Only a batch with an older item has to look.
            and (
                entry.ts > p_now - interval '1 hour'
                or entry.ts >= (select internal.oldest_accepted(p_now, 'sample'))
            ),
            false
        )
    from (
        select
            entry.n,
            entry.item,
            sent.type,
            sent.unit,
            series.series_id,
            kind.kind_id,
            kind.type as kind_type,
            kind.unit as kind_unit,
            internal.read_ts(sent.ts, p_now) as ts,
            internal.read_number(sent.value) as number,
            entry.observations,
            entry.sum,
            entry.low,
            entry.high,
            entry.sketch,
            entry.sketch_other,
            entry.fault,
            jsonb_typeof(sent.value) = 'object' as is_histogram
        from
            unnest(
                array(select jsonb_array_elements(p_items)), internal.read_histograms(p_items::text::json)
            ) with ordinality
                as entry (item, observations, sum, low, high, sketch, sketch_other, fault, n)
        cross join
            lateral jsonb_to_record(entry.item)
                as sent (
                    name text, source text, value jsonb, ts jsonb, labels jsonb, type text, unit jsonb
                )
        left join data.kind on sent.name = kind.name
        left join data.source on sent.source = source.name
        left join data.series
            on
                md5(
                    kind.kind_id::text || '/' || source.source_id::text || coalesce(sent.labels, '{}')::text
                )::uuid
                = series.series_key
        -- Computes each of these once, although the query above uses them more than once.
        offset 0 -- noqa: AM09
    ) as entry;
end;
comment on function internal.check_metrics(jsonb, timestamptz) is
'Every metric item with its series, null while that is unknown, its sample, and whether it is good. It
is settled when its series is registered and, if it names a unit, its kind has one.';
