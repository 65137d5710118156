create or replace function internal.series_of(p_name text, p_source text, p_labels text)
returns table (series_id bigint, kind_id bigint, kind_name text, kind_type text, kind_unit text)
language sql stable parallel safe
begin atomic
    select
        series.series_id,
        kind.kind_id,
        kind.name,
        kind.type,
        kind.unit
    from data.kind
    left join data.source on source.name = p_source
    left join data.series
        on
            series.series_key
            = md5(
                kind.kind_id::text || '/' || source.source_id::text || coalesce(p_labels::jsonb, '{}')::text
            )::uuid
    where kind.name = p_name;
end;
comment on function internal.series_of(text, text, text) is
'The kind of a metric, and the series of it that has this source and these labels, a JSON object or null;
series_id is null where it is not registered.';
