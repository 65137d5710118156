create or replace procedure internal.refresh_late(p_job_id integer, p_config jsonb)
language plpgsql
as $$
declare
    -- Where one backend serves everyone, it says how long a job may keep the others waiting.
    v_turn constant interval := nullif(current_setting('supervisor.turn', true), '');
    v_piece constant interval := case when v_turn is null then '24 hours' else '4 hours' end;
    v_settle constant interval := coalesce(p_config ->> 'settle', '0');
    v_started constant timestamptz := clock_timestamp();
    v_late record;
begin
    -- Of hours whose samples are gone, nothing can be made.
    delete from data.late_hour where bucket < internal.oldest_chunk('sample');
    loop
        -- The newest first, because most questions are about those. A piece that still gets late samples,
        -- as in an import, waits until it no longer does: else it is refreshed again and again.
        select
            array_agg(late_hour_id) as ids,
            min(bucket) as start,
            max(bucket) + interval '1 hour' as stop
        into v_late
        from internal.due_late()
        group by time_bucket(v_piece, bucket)
        having
            max(noted_at) <= v_started - v_settle
            or min(noted_at) <= v_started - 10 * v_settle
        order by start desc
        limit 1;
        exit when not found;
        perform internal.begin_restatements(v_late.ids);
        commit;
        call internal.refresh_range(v_late.start, v_late.stop, now() - interval '1 hour');
        perform internal.end_restatements(v_late.ids, now());
        commit;
        if clock_timestamp() - v_started > v_turn then
            perform alter_job(p_job_id, next_start => clock_timestamp());
            exit;
        end if;
    end loop;
end
$$;
comment on procedure internal.refresh_late (integer, jsonb) is
'Job: refreshes the hours and days that got late samples, day by day or in pieces of a day, then deletes
their entries in data.late_hour and records what has changed as restatements. A piece waits until it got none for as long as settle in its config, at most ten
times as long.';
