create or replace function internal.read_step(
    p_step text, p_from timestamptz, p_to timestamptz
)
returns interval
language plpgsql immutable
as $$
begin
    if p_step is null then
        -- The finest step that gives at most 300 points.
        return (
            select coalesce(min(width), interval '7 days')
            from unnest('{1 minute,5 minutes,15 minutes,1 hour,6 hours,1 day}'::interval []) as width
            where (p_to - p_from) / 300 <= width
        );
    elsif not internal.fits(p_step, 'step') then
        raise exception 'invalid step "%"', left(p_step, 100)
            using errcode = 'SV422', constraint = 'step_well_formed', column = 'step',
            hint = 'Send a number of seconds, minutes, hours or days, such as 30s, 5m, 1h or 1d.';
    end if;
    return p_step::interval;
end
$$;
comment on function internal.read_step(text, timestamptz, timestamptz) is
'The time between points of a series; for null, one that fits the range.
Errors: step_well_formed.';
