create or replace procedure internal.snapshot_aggregates(p_job_id integer, p_config jsonb)
language plpgsql
as $$
declare
    v_namespace text;
    v_window text;
begin
    for v_namespace, v_window in
        select known.namespace, stored.name
        from (select distinct namespace from data.every_kind) as known
        cross join jsonb_array_elements_text(p_config -> 'windows') as stored (name)
        order by known.namespace
    loop
        perform set_config('supervisor.namespace', v_namespace, true);
        perform api.record_agg(api.query_agg(null, v_window, null, null, null, null, now()));
        commit;
    end loop;
end
$$;
comment on procedure internal.snapshot_aggregates (integer, jsonb) is
'Job: stores a snapshot of every kind for the windows in its config.';
