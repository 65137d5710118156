create or replace function internal.suggestion(p_nearest text) returns text
language sql immutable parallel safe
begin atomic
    select coalesce('Did you mean "' || p_nearest || '"? ', '');
end;
comment on function internal.suggestion(text) is
'The beginning of a hint that names the nearest known name; empty when there is none.';
