create or replace function internal.nearest_name(p_name text, p_names text[], p_least real)
returns text
language sql immutable parallel safe
begin atomic
    select known.name
    from (
        select
            name,
            similarity(name, left(p_name, 200)) as likeness
        from unnest(p_names) as name
        -- Computes each similarity once.
        offset 0 -- noqa: AM09
    ) as known
    where known.likeness >= p_least
    order by known.likeness desc, known.name asc
    limit 1;
end;
comment on function internal.nearest_name(text, text[], real) is
'The name of p_names whose trigrams are most similar to p_name; null below the similarity p_least.';
