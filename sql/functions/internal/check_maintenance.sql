create or replace function internal.check_maintenance(
    p_id text, p_author text, p_reason text
)
returns void
language plpgsql immutable
as $$
begin
    if internal.fits(p_id, 'identifier') is not true then
        raise exception 'invalid maintenance id "%"', left(coalesce(p_id, ''), 100)
            using errcode = 'SV422', constraint = 'maintenance_id_well_formed', column = 'id',
            hint = 'Send letters, digits, and any of _ . : - after the first one; at most 200.';
    end if;
    perform internal.check_author(p_author);
    if (length(p_reason) between 1 and 1000) is not true then
        raise exception 'reason is not a text of 1 to 1000 characters'
            using errcode = 'SV422', constraint = 'reason_in_range', column = 'reason',
            hint = 'Send why the servers are in maintenance as reason.';
    end if;
end
$$;
comment on function internal.check_maintenance(text, text, text) is
'Refuses texts that a maintenance window cannot have.
Errors: maintenance_id_well_formed, author_well_formed, reason_in_range.';
