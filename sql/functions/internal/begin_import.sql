create or replace procedure internal.begin_import(p_state jsonb)
language plpgsql
as $$
declare
    v_relation record;
begin
    -- What jobs make is in the export.
    perform alter_job(job_id, scheduled => false) from ops.policies;
    perform set_chunk_time_interval(key, value::interval)
    from jsonb_each_text(p_state -> 'chunk_intervals')
    where key not in (select 'data.' || name from internal.rollups());
    for v_relation in
        select stored_in from internal.exported_relations() where prefilled
    loop
        execute format('truncate %s', v_relation.stored_in);
    end loop;
    call internal.restore_watermarks(p_state -> 'watermarks');
end
$$;
comment on procedure internal.begin_import (jsonb) is
'Prepares an empty database for the rows of an export; p_state is internal.export_state of that one.';
