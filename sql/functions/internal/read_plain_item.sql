create or replace function internal.read_plain_item(p_body json, p_now timestamptz, p_sources text[])
returns table (
    plain boolean,
    series_id bigint,
    kind_id bigint,
    kind_name text,
    ts timestamptz,
    value double precision,
    counter boolean
)
language sql stable parallel safe
begin atomic
    select
        -- The rules of check_metrics.
        coalesce(
            series.series_id is not null
            and internal.is_plain_series(
                sent.name, sent.source, sent.labels, sent.type, sent.unit,
                series.kind_type, series.kind_unit, p_sources
            )
            and series.kind_type in ('gauge', 'counter')
            and internal.are_plain_samples(
                series.kind_type, 1, 1, sent.reading, sent.reading, 1, sent.instant, p_now
            )
            -- As read_plain_metrics does.
            and sent.commas
            = 2 + num_nonnulls(sent.labels, sent.type, sent.unit, sent.spelled_ts)
            + octet_length(sent.labels_text) - octet_length(replace(sent.labels_text, ',', ''))
            -- An older one may be late.
            and sent.instant > p_now - interval '15 minutes',
            false
        ),
        series.series_id,
        series.kind_id,
        series.kind_name,
        sent.instant,
        sent.reading,
        series.kind_type = 'counter'
    from (
        select
            field.name,
            field.source,
            field.labels::text,
            coalesce(field.labels::text, '') as labels_text,
            field.type,
            field.unit::text,
            field.ts as spelled_ts,
            internal.read_plain_ts(field.ts::text, p_now) as instant,
            internal.read_plain_number(field.value::text) as reading,
            octet_length(item.json::text) - octet_length(replace(item.json::text, ',', '')) as commas
        from (
            select
                case
                    when json_typeof(p_body) <> 'array' then p_body
                    when json_array_length(p_body) = 1 then p_body -> 0
                end as json
        ) as item
        cross join
            lateral json_to_record(item.json)
                as field (name text, source text, value json, ts json, labels json, type text, unit json)
        -- Keeps the planner from computing an expression once for each of its uses.
        offset 0 -- noqa: AM09
    ) as sent
    left join lateral internal.series_of(sent.name, sent.source, sent.labels) as series on true;
end;
comment on function internal.read_plain_item(json, timestamptz, text[]) is
'A body with one item, in half the time that read_plain_metrics takes: plain as there, of a gauge or counter,
and at most 15 minutes old. p_sources are those that the sender may write as. Raises data_exception for some
of what is not plain.';
