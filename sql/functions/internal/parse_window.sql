create or replace function internal.parse_window(p_window text) returns interval
language plpgsql immutable
as $$
begin
    if p_window is null or not internal.fits(p_window, 'window') then
        raise exception 'invalid window "%"', left(coalesce(p_window, ''), 100)
            using errcode = 'SV422', constraint = 'window_well_formed', column = 'window',
            hint = 'Send a number of hours or days, such as 1h, 24h, 7d, 30d or 90d.';
    end if;
    return p_window::interval;
end
$$;
comment on function internal.parse_window(text) is 'The length of a window.
Errors: window_well_formed.';
