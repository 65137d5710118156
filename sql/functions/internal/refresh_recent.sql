create or replace procedure internal.refresh_recent(p_job_id integer, p_config jsonb)
language plpgsql
as $$
declare
    c_patience constant interval := interval '10 seconds';
    v_upto constant timestamptz := now() - (p_config ->> 'end_offset')::interval;
    v_started constant timestamptz := clock_timestamp();
    v_running text [];
begin
    if num_nulls(v_upto, p_config ->> 'min_samples', p_config ->> 'samples_per_row') > 0 then
        raise exception 'the config of the job refresh_recent lacks end_offset, min_samples or samples_per_row'
            using errcode = 'null_value_not_allowed', hint = 'Set all of them with alter_job().';
    end if;
    -- What is further behind is up to refresh_rollups, which leaves a day at most.
    if internal.watermark('kind_1h') < v_upto - interval '26 hours' then
        return;
    end if;
    -- From its commit on, ingest notes what is older, except that of transactions that have begun.
    update data.recent_range set announced = v_upto
    where announced < v_upto;
    commit;
    v_running := internal.running_ingests();
    while v_running && internal.running_ingests() loop
        if clock_timestamp() - v_started > c_patience then
            return;
        end if;
        perform pg_sleep(0.02);
    end loop;
    -- For a snapshot that has what they stored, whatever the isolation.
    commit;
    perform internal.roll_up_recent(
        v_upto, (p_config ->> 'min_samples')::integer, (p_config ->> 'samples_per_row')::integer
    );
end
$$;
comment on procedure internal.refresh_recent (integer, jsonb) is
'Job: rolls up the samples above the watermark of the rollups, up to end_offset ago, so that an answer reads
those of some minutes instead of those of an hour. It leaves out kinds with fewer than min_samples, and waits until
there are samples_per_row for each row to be written. Where an ingest takes longer than 10 seconds, the next run
does it.';
