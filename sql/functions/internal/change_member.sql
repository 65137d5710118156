create or replace function internal.change_member(
    p_name text, p_current double precision, p_previous double precision
)
returns text
language sql stable parallel safe
begin atomic
    select format(
        '"%s" : %s',
        p_name,
        coalesce(to_json(internal.quotient(p_current - p_previous, abs(p_previous)))::text, 'null')
    );
end;
comment on function internal.change_member(text, double precision, double precision) is
'Relative change as a member of a JSON object: (p_current - p_previous) / |p_previous|; null where p_previous
is null or zero.';
