create or replace function internal.change_member(
    p_names text[], p_name text, p_current double precision, p_previous double precision
)
returns text
language sql stable parallel safe
begin atomic
    select case
        when p_names is null or p_name = any(p_names)
            then format(
                '"%s" : %s',
                p_name,
                coalesce(to_json(internal.quotient(p_current - p_previous, abs(p_previous)))::text, 'null')
            )
    end;
end;
comment on function internal.change_member(text[], text, double precision, double precision) is
'Relative change as a member of a JSON object, (p_current - p_previous) / |p_previous|, whose value is null
where p_previous is null or zero; null where p_names does not name it, and names anything.';
