create or replace function internal.pin_json(p_pin data.pin) returns json
language sql stable
begin atomic
    select
        json_build_object(
            'id', (p_pin).pin_id,
            'source', (p_pin).source,
            'from', lower((p_pin).during),
            'to', upper((p_pin).during),
            'reason', (p_pin).reason,
            'author', (p_pin).author,
            'pinned_at', (p_pin).pinned_at
        );
end;
comment on function internal.pin_json(data.pin) is 'A pin as clients see it.';
