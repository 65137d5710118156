create or replace function internal.refuse_cursor(p_cursor text) returns void
language plpgsql immutable
as $$
begin
    raise exception 'The cursor "%" is not one that was given out.', left(p_cursor, 100)
        using errcode = 'SV422', constraint = 'cursor_invalid', column = 'cursor',
        hint = 'Send next_cursor of the answer before, unchanged, or none for the first page.';
end
$$;
comment on function internal.refuse_cursor(text) is 'Refuses a cursor.';
