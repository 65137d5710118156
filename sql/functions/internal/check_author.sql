create or replace function internal.check_author(p_author text) returns void
language plpgsql immutable
as $$
begin
    if internal.fits(p_author, 'owner') is not true then
        raise exception 'author is not a text of 1 to 200 characters on one line'
            using errcode = 'SV422', constraint = 'author_well_formed', column = 'author',
            hint = 'Send your name as author.';
    end if;
end
$$;
comment on function internal.check_author(text) is
'Refuses a text that cannot be the name of an author.
Errors: author_well_formed.';
