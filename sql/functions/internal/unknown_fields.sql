create or replace function internal.unknown_fields(p_item jsonb, p_known text[])
returns table (field text, slug text, detail text)
language sql immutable
begin atomic
    select
        left(key, 100),
        'item_fields_known',
        'Unknown field. '
        || internal.suggestion(internal.nearest_name(key, p_known, 0.15))
        || 'The fields are ' || array_to_string(p_known, ', ') || '.'
    from jsonb_object_keys(p_item) as key
    where key <> all(p_known);
end;
comment on function internal.unknown_fields(jsonb, text[]) is
'The fields of an item that are not in p_known, each with the nearest known one.';
