create or replace function internal.read_limit(
    p_limit integer, p_default integer, p_most integer
)
returns integer
language plpgsql immutable
as $$
begin
    if p_limit not between 1 and p_most then
        raise exception 'limit % is not between 1 and %', p_limit, p_most
            using errcode = 'SV422', constraint = 'limit_in_range', column = 'limit',
            hint = format(
                'Send 1 to %s; to get more, send next_cursor of the answer as cursor.', p_most
            );
    end if;
    return coalesce(p_limit, p_default);
end
$$;
comment on function internal.read_limit(integer, integer, integer) is
'The number of items on a page.
Errors: limit_in_range.';
