create or replace procedure internal.refresh_rollups(p_job_id integer, p_config jsonb)
language plpgsql
as $$
declare
    -- Where one backend serves everyone, it says how long a job may keep the others waiting.
    v_turn constant interval := nullif(current_setting('supervisor.turn', true), '');
    v_started constant timestamptz := clock_timestamp();
    c_piece constant interval := case when v_turn is null then '168 hours' else '4 hours' end;
    v_piece interval := c_piece;
    v_end constant timestamptz := time_bucket(
        interval '1 hour', now() - (p_config ->> 'end_offset')::interval
    );
    v_oldest constant timestamptz := nullif(internal.oldest_chunk('sample'), 'infinity');
    v_from timestamptz := (
        select
            greatest(
                time_bucket(interval '24 hours', v_oldest),
                -- A day that is not over is no reason to begin with its first hour again.
                min(
                    case
                        when rollup.watermark < time_bucket(rollup.width, hour.watermark) then rollup.watermark
                        else hour.watermark
                    end
                )
            )
        from (select *, internal.watermark(name) as watermark from internal.rollups()) as rollup
        cross join internal.watermark('sample_1h') as hour (watermark)
    );
    v_upto timestamptz;
    v_mark timestamptz;
begin
    if v_oldest is null then
        return;
    end if;
    while v_from < v_end loop
        v_mark := internal.watermark('sample_1h');
        v_upto := least(time_bucket(least(v_piece, '24 hours'), v_from) + v_piece, v_end);
        if v_piece > c_piece and exists (select from data.sample where ts >= v_from and ts < v_upto) then
            v_piece := c_piece;
            continue;
        end if;
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
end
$$;
comment on procedure internal.refresh_rollups (integer, jsonb) is
'Job: refreshes the rollups, from their watermark up to end_offset ago; what is below is up to refresh_late.
The refresh policy of TimescaleDB would erase buckets whose samples were dropped, and make all again that
lies between the oldest and the newest sample of a batch.';
