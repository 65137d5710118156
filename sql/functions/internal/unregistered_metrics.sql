create or replace function internal.unregistered_metrics(p_items jsonb, p_now timestamptz)
returns jsonb
language sql stable
begin atomic
    select
        jsonb_agg(jsonb_build_object(
            'place', place,
            'name', item ->> 'name',
            'source', item ->> 'source',
            'unit', item ->> 'unit',
            'labels', coalesce(nullif(item -> 'labels', 'null'), '{}'),
            'type', coalesce(
                item ->> 'type',
                case jsonb_typeof(item -> 'value') when 'object' then 'histogram' else 'gauge' end
            )
        ))
    from internal.check_metrics(p_items, p_now)
    where good and series_id is null;
end;
comment on function internal.unregistered_metrics(jsonb, timestamptz) is
'The good metric items of unknown series, in the form that register_series expects.';
