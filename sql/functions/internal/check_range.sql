create or replace function internal.check_range(p_from timestamptz, p_to timestamptz) returns void
language plpgsql immutable
as $$
begin
    if p_from >= p_to then
        raise exception 'from (%) is not before to (%)', p_from, p_to
            using errcode = 'SV422', constraint = 'from_before_to', column = 'from',
            hint = 'Send a from that is earlier than to; to itself is not part of the range.';
    end if;
end
$$;
comment on function internal.check_range(timestamptz, timestamptz) is
'Refuses a range [p_from, p_to) that is empty; a null end is open.
Errors: from_before_to.';
