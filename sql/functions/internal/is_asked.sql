create or replace function internal.is_asked(p_names text[], p_name text) returns boolean
language sql immutable parallel safe
begin atomic
    -- Not strict, so that it is inlined. In a row, a fifth of the time of needs.
    select p_names is null or p_name = any(p_names);
end;
comment on function internal.is_asked(text[], text) is
'Whether p_names, where null means all, has this one.';
