create or replace function internal.comparison_range(
    p_window text, p_now timestamptz, out begins timestamptz, out ends timestamptz, out former timestamptz
)
language plpgsql stable
as $$
declare
    v_window constant interval := internal.read_window(p_window);
begin
    begins := internal.readable_from(
        date_trunc(case when v_window < interval '7 days' then 'minute' else 'hour' end, p_now - v_window, 'UTC')
    );
    -- Ingest accepts samples up to 5 minutes ahead of the clock; the answer includes them.
    ends := date_trunc('hour', p_now + interval '5 minutes', 'UTC') + interval '1 hour';
    -- Exactly as long as the window itself.
    former := internal.readable_from(begins - (p_now - begins));
end
$$;
comment on function internal.comparison_range(text, timestamptz) is
'A window up to p_now, as query_agg has it: [begins, ends), and [former, begins), the window before.
Errors: window_well_formed, window_within_retention.';
