create or replace function api.list_pins(p_source text) returns json
language sql stable
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
begin atomic
    select
        json_build_object(
            'items', coalesce(json_agg(internal.pin_json(pin) order by pin.pin_id desc), '[]')
        )
    from data.pin
    where p_source is null or pin.source = p_source;
end;
comment on function api.list_pins(text) is
'What pin_window keeps, the newest first: {items: [{id, source, from, to, reason, author, pinned_at}]}.
p_source asks for the pins of one source.';
