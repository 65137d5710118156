create or replace function internal.read_window(p_window text) returns interval
language plpgsql stable
as $$
declare
    v_window constant interval := internal.parse_window(p_window);
begin
    if v_window > internal.retention('sample_1h') then
        raise exception 'window % is longer than the retention of hourly rollups, %',
            p_window, internal.retention('sample_1h')
            using errcode = 'SV422', constraint = 'window_within_retention', column = 'window',
            hint = 'Send a shorter window, or raise the retention policy of data.sample_1h.';
    end if;
    return v_window;
end
$$;
comment on function internal.read_window(text) is 'The length of a window of metrics and facts.
Errors: window_well_formed, window_within_retention.';
