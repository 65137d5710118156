create or replace function internal.write_cursor(p_list text, p_place text) returns text
language sql immutable parallel safe
begin atomic
    select encode(convert_to(left(md5(p_list || p_place), 8) || p_place, 'utf8'), 'hex');
end;
comment on function internal.write_cursor(text, text) is
'The cursor of a place in a list: the place, and a digest that only a cursor of that list has.';
