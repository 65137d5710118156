create or replace function internal.alter_unchanged(
    p_job_id integer, p_schedule interval, p_config jsonb, p_shipped jsonb, p_settings jsonb
)
returns jsonb
language plpgsql
as $$
declare
    v_found jsonb := p_config || jsonb_build_object('schedule_interval', p_schedule::text);
    v_wanted jsonb;
begin
    select
        v_found
        - array(select key from jsonb_each(p_shipped) where value = v_found -> key)
        || coalesce(jsonb_object_agg(key, value), '{}')
    into v_wanted
    from jsonb_each(p_settings)
    where v_found -> key is not distinct from p_shipped -> key;
    v_wanted := jsonb_build_object('schedule_interval', p_schedule::text) || v_wanted;
    if v_wanted <> v_found then
        perform alter_job(
            p_job_id,
            schedule_interval => (v_wanted ->> 'schedule_interval')::interval,
            config => v_wanted - 'schedule_interval',
            -- Not from the view, which has none for a paused job.
            next_start => (
                select nullif(next_start, '-infinity')
                from _timescaledb_internal.bgw_job_stat
                where job_id = p_job_id
            )
        );
    end if;
    return v_wanted;
end
$$;
comment on function internal.alter_unchanged(integer, interval, jsonb, jsonb, jsonb) is
'Changes the settings of a job to p_settings, except those that differ from p_shipped, the ones that
the last release shipped. Returns all settings that the job has then.';
