create or replace function internal.check_range(p_from timestamptz, p_to timestamptz) returns void
language plpgsql immutable
as $$
begin
    if p_from >= p_to then
        raise exception 'from (%) is not before to (%)', p_from, p_to
            using errcode = 'SV422', constraint = 'from_before_to', column = 'from',
            hint = 'Send a from that is earlier than to; to itself is not part of the range.';
    elsif p_from < '0001-01-01 00:00:00+00' then
        raise exception 'the range begins before 0001-01-01T00:00:00Z'
            using errcode = 'SV422', constraint = 'from_in_range', column = 'from',
            hint = 'Send a later from; where the length is given instead, a later end.';
    end if;
end
$$;
comment on function internal.check_range(timestamptz, timestamptz) is
'Refuses a range [p_from, p_to) that is empty, or that begins before the year
1, where RFC 3339 ends; a null end is open.
Errors: from_before_to, from_in_range.';
