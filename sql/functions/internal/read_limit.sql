create or replace function internal.read_limit(
    p_limit integer, p_default integer, p_most integer, p_continues boolean default true
)
returns integer
language plpgsql immutable
as $$
begin
    if p_limit not between 1 and p_most then
        raise exception 'limit % is not between 1 and %', p_limit, p_most
            using errcode = 'SV422', constraint = 'limit_in_range', column = 'limit',
            hint = concat(
                'Send 1 to ', p_most,
                case when p_continues then '; to get more, send next_cursor of the answer as cursor' end, '.'
            );
    end if;
    return coalesce(p_limit, p_default);
end
$$;
comment on function internal.read_limit(integer, integer, integer, boolean) is
'The number of items of an answer, which continues on another page where p_continues.
Errors: limit_in_range.';
