create or replace function internal.check_metrics(p_items jsonb, p_now timestamptz)
returns table (
    place integer,
    item jsonb,
    series_id integer,
    kind_id integer,
    ts timestamptz,
    value double precision,
    observations integer,
    counter boolean,
    low double precision,
    high double precision,
    sketch bigint[],
    slug text
)
language sql stable
begin atomic
    select
        (entry.n - 1)::integer,
        entry.item,
        entry.series_id,
        entry.kind_id,
        entry.ts,
        coalesce((entry.histogram).sum, entry.number),
        coalesce((entry.histogram).observations, 1),
        coalesce(entry.kind_type, entry.type, 'gauge') = 'counter',
        (entry.histogram).low,
        (entry.histogram).high,
        (entry.histogram).sketch,
        case
            when entry.item - '{name,source,value,ts,labels,type,unit}'::text[] <> '{}'
                then case when entry.item ? '' then 'item_is_object' else 'item_fields_known' end
            when entry.series_id is null and internal.check_series(entry.item) is not null
                then internal.check_series(entry.item)
            when entry.type not in ('gauge', 'counter', 'histogram') then 'kind_type_known'
            when
                coalesce(entry.type, entry.kind_type) <> entry.kind_type
                or entry.is_histogram <> (coalesce(entry.kind_type, entry.type) = 'histogram')
                then 'kind_type_settled'
            when (entry.histogram).fault is not null then 'histogram_well_formed'
            when coalesce((entry.histogram).sum, entry.number) is null then 'value_finite'
            when
                jsonb_typeof(entry.unit) <> 'string'
                or length(entry.unit #>> '{}') not between 1 and 50
                or entry.unit #>> '{}' ~ '[[:cntrl:]]'
                then 'kind_unit_well_formed'
            when entry.ts is null then 'ts_well_formed'
            when entry.ts > p_now + interval '5 minutes' then 'ts_not_in_future'
            when entry.ts < p_now - (select internal.raw_retention()) then 'ts_within_retention'
        end
    from (
        select
            entry.n,
            entry.item,
            sent.type,
            sent.unit,
            series.series_id,
            kind.kind_id,
            kind.type as kind_type,
            internal.read_ts(sent.ts, p_now) as ts,
            internal.read_number(sent.value) as number,
            case
                when jsonb_typeof(sent.value) = 'object' then internal.read_histogram(sent.value)
            end as histogram,
            jsonb_typeof(sent.value) = 'object' as is_histogram
        from jsonb_array_elements(p_items) with ordinality as entry (item, n)
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
        -- Each of these is used more than once above and must be computed once.
        offset 0 -- noqa: AM09
    ) as entry;
end;
comment on function internal.check_metrics(jsonb, timestamptz) is
'Every metric item with its series where that is known, its sample, and the rule it breaks.';
