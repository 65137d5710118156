create or replace function internal.check_snapshot(p_name text, p_author text) returns void
language plpgsql stable
as $$
begin
    if internal.fits(p_name, 'identifier') is not true then
        raise exception 'invalid snapshot name "%"', left(coalesce(p_name, ''), 100)
            using errcode = 'SV422', constraint = 'snapshot_name_well_formed', column = 'name',
            hint = 'Send letters, digits, and any of _ . : - after the first one; at most 200.';
    end if;
    perform internal.check_author(p_author);
    if exists (select from data.snapshot where name = p_name) then
        raise exception 'there is a snapshot "%" already', p_name
            using errcode = 'SV409', constraint = 'snapshot_name_taken', column = 'name',
            hint = 'A snapshot never changes. Read it with get_snapshot (GET /query/snapshots/{name}), or send'
            ' another name.';
    end if;
    perform internal.refuse_over_quota(
        'snapshots', (select count(*) + 1 from data.snapshot), 'snapshots', 'Read one that exists.'
    );
end
$$;
comment on function internal.check_snapshot(text, text) is
'Refuses a snapshot whose name or author is malformed, whose name is taken, or that is one too many.
Errors: snapshot_name_well_formed, author_well_formed, snapshot_name_taken, count_within_quota.';
