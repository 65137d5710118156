create or replace function internal.item_digest(p_item jsonb, p_ts timestamptz) returns bigint
language sql stable parallel safe
begin atomic
    select jsonb_hash_extended(
        jsonb_build_array(
            p_item - 'ts',
            -- The time of an item without one is another at every attempt.
            case when p_item -> 'ts' <> 'null' then extract(epoch from p_ts) end
        ),
        0
    );
end;
comment on function internal.item_digest(jsonb, timestamptz) is
'Digest of an item; equal items have equal ones, however their keys, numbers and instants are written.';
