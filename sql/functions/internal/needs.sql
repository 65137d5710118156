create or replace function internal.needs(p_statistics text[], p_names text[]) returns boolean
language sql immutable parallel safe
begin atomic
    -- Not strict, so that it is inlined and what is not needed is known when a query is planned.
    select p_statistics is null or p_statistics && p_names;
end;
comment on function internal.needs(text[], text[]) is
'Whether p_statistics, where null means all, names any of p_names.';
