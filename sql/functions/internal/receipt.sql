create or replace function internal.receipt(
    p_items jsonb, p_accepted integer, p_conflict integer, p_late integer, p_rejected jsonb
)
returns json
language sql immutable parallel safe
begin atomic
    select json_build_object(
        'accepted', p_accepted,
        'duplicate',
        jsonb_array_length(p_items) - p_accepted - p_conflict - jsonb_array_length(p_rejected),
        'conflict', p_conflict,
        'late', p_late,
        'rejected', p_rejected
    );
end;
comment on function internal.receipt(jsonb, integer, integer, integer, jsonb) is
'The answer of an ingest: what became of the items.';
