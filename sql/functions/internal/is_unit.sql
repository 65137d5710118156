create or replace function internal.is_unit(p_unit text, p_settled text) returns boolean
language sql immutable parallel safe
begin atomic
    select
        p_settled is null
        or p_unit = p_settled
        or coalesce(internal.unit_scale(p_unit) = internal.unit_scale(p_settled), false);
end;
comment on function internal.is_unit(text, text) is
'Whether a unit is the settled one of its kind, or a synonym; any unit is while none is settled.';
