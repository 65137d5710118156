create or replace procedure internal.refresh_rollups(p_job_id integer, p_config jsonb)
language plpgsql
as $$
declare
    -- Where one backend serves everyone, it says how long a job may keep the others waiting.
    v_turn constant interval := nullif(current_setting('supervisor.turn', true), '');
    v_started constant timestamptz := clock_timestamp();
    v_piece interval := case when v_turn is null then interval '168 hours' else interval '24 hours' end;
    v_end constant timestamptz := time_bucket(
        interval '1 hour', now() - (p_config ->> 'end_offset')::interval
    );
    v_oldest constant timestamptz := nullif(internal.oldest_chunk('sample'), 'infinity');
    v_from timestamptz := (
        select greatest(
            time_bucket(interval '24 hours', v_oldest), min(internal.watermark(rollup.name))
        )
        from internal.rollups() as rollup
    );
    v_upto timestamptz;
    v_mark timestamptz;
    v_rollup record;
begin
    if v_oldest is null then
        return;
    end if;
    while v_from < v_end loop
        v_mark := internal.watermark('sample_1h');
        v_upto := least(time_bucket(interval '24 hours', v_from) + v_piece, v_end);
        call internal.refresh_range(v_from, v_upto, v_end);
        if internal.watermark('sample_1h') = v_mark then
            -- Nothing there.
            v_piece := v_piece * 2;
        elsif v_upto < v_end and clock_timestamp() - v_started > v_turn then
            perform alter_job(p_job_id, next_start => clock_timestamp());
            return;
        end if;
        v_from := v_upto;
    end loop;
    -- What else has changed, such as deleted samples; late ones are up to refresh_late.
    if not exists (select from data.late) then
        for v_rollup in
            select * from internal.rollups() order by place
        loop
            call internal.refresh_buckets(
                v_rollup.name, '-infinity', time_bucket(v_rollup.width, v_end)
            );
        end loop;
    end if;
end
$$;
comment on procedure internal.refresh_rollups (integer, jsonb) is
'Job: refreshes the rollups, from the oldest samples up to end_offset ago. The refresh policy of
TimescaleDB would erase buckets whose samples were dropped.';
