create or replace function internal.write_position(
    p_seen pg_snapshot, p_change bigint, p_number bigint, p_at timestamptz
)
returns text
language sql immutable parallel safe
begin atomic
    select format('%s/%s/%s/%s', p_seen, p_change, p_number, floor(extract(epoch from p_at)));
end;
comment on function internal.write_position(pg_snapshot, bigint, bigint, timestamptz) is
'The id of an event of a stream: what the reader who has it has received; see internal.read_position.';
