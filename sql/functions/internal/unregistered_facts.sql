create or replace function internal.unregistered_facts(p_items jsonb, p_now timestamptz)
returns jsonb
language sql stable
begin atomic
    select
        jsonb_agg(distinct jsonb_build_object(
            'name', item ->> 'kind',
            'source', item ->> 'source',
            'type', 'fact',
            'labels', '{}'::jsonb
        ))
    from internal.check_facts(p_items, p_now, null)
    where good and series_id is null;
end;
comment on function internal.unregistered_facts(jsonb, timestamptz) is
'The good fact items of unknown series, in the form that register_series expects.';
