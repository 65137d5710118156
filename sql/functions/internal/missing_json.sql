create or replace function internal.missing_json(
    p_at timestamptz, p_is_foreign boolean, p_kept_from timestamptz, p_now timestamptz
)
returns json
language sql immutable parallel safe
begin atomic
    select case
        when p_is_foreign or p_at < p_kept_from
            then json_build_object('from', p_at, 'to', case when p_is_foreign then p_now else p_kept_from end)
    end;
end;
comment on function internal.missing_json(timestamptz, boolean, timestamptz, timestamptz) is
'{from, to} of what the reader of a stream misses that had everything at p_at: what was dropped before
p_kept_from, or, where its position is of another database, everything up to p_now. Else null.';
