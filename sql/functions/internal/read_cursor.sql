create or replace function internal.read_cursor(p_list text, p_cursor text, p_pattern text)
returns text
language plpgsql immutable
as $$
declare
    v_place text;
begin
    if p_cursor is null then
        return null;
    end if;
    -- Printable ASCII, so that the text cannot be invalid UTF-8.
    if internal.fits(p_cursor, 'cursor') then
        v_place := substr(convert_from(decode(p_cursor, 'hex'), 'utf8'), 9);
    end if;
    if internal.write_cursor(p_list, v_place) is distinct from p_cursor or v_place !~ p_pattern then
        raise exception 'invalid cursor "%"', left(p_cursor, 100)
            using errcode = 'SV422', constraint = 'cursor_invalid', column = 'cursor',
            hint = 'Send next_cursor of the previous page unchanged, or no cursor for the first page.';
    end if;
    return v_place;
end
$$;
comment on function internal.read_cursor(text, text, text) is
'The place that a cursor of a list marks, which matches p_pattern; null for no cursor.
Errors: cursor_invalid.';
