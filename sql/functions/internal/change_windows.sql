create or replace function internal.change_windows(p_window text, p_now timestamptz)
returns table (place integer, begins timestamptz, ends timestamptz)
language plpgsql stable
as $$
declare
    -- Those that say what is usual, and one more: the oldest one that has data may have it in part.
    c_earlier constant integer := 9;
    v_range constant record := internal.comparison_range(p_window, p_now);
    v_length constant interval := p_now - v_range.begins;
begin
    place := 0;
    begins := v_range.begins;
    ends := v_range.ends;
    return next;
    for v_place in 1..c_earlier loop
        place := v_place;
        ends := begins;
        begins := internal.readable_from(v_range.begins - v_place * v_length);
        exit when begins >= ends;
        return next;
    end loop;
end
$$;
comment on function internal.change_windows(text, timestamptz) is
'The window up to p_now, with place 0, and those of the same length before it, the nearest first.
Errors: window_well_formed, window_within_retention.';
