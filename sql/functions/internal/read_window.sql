create or replace function internal.read_window(p_window text) returns interval
language plpgsql stable
as $$
declare
    v_window interval;
begin
    if p_window is null or not internal.fits(p_window, 'window') then
        raise exception 'invalid window "%"', left(coalesce(p_window, ''), 100)
            using errcode = 'SV422', constraint = 'window_well_formed', column = 'window',
            hint = 'Send a number of hours or days, such as 1h, 24h, 7d, 30d or 90d.';
    end if;
    v_window := p_window::interval;
    if v_window > internal.retention('sample_1h') then
        raise exception 'window % is longer than the retention of hourly rollups, %',
            p_window, internal.retention('sample_1h')
            using errcode = 'SV422', constraint = 'window_within_retention', column = 'window',
            hint = 'Send a shorter window, or raise the retention policy of data.sample_1h.';
    end if;
    return v_window;
end
$$;
comment on function internal.read_window(text) is 'The length of a window.
Errors: window_well_formed, window_within_retention.';
