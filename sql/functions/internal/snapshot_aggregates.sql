create or replace procedure internal.snapshot_aggregates(p_job_id integer, p_config jsonb)
language plpgsql
as $$
declare
    v_window text;
begin
    for v_window in select jsonb_array_elements_text(p_config -> 'windows') loop
        perform api.record_agg(api.query_agg(null, v_window, null, null, null, null, now()));
        commit;
    end loop;
end
$$;
comment on procedure internal.snapshot_aggregates (integer, jsonb) is
'Job: stores a snapshot of every kind for the windows in its config.';
