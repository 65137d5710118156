create or replace procedure internal.refresh_late(p_job_id integer, p_config jsonb)
language plpgsql
as $$
declare
    v_late bigint [];
    v_from timestamptz;
    v_to timestamptz;
    v_day_from timestamptz;
    v_day_to timestamptz;
begin
    select array_agg(late_id), min(bucket), max(bucket) + interval '1 hour'
    into v_late, v_from, v_to
    from data.late;
    if v_late is null then
        return;
    end if;
    v_day_from := time_bucket(interval '1 day', v_from);
    -- A day above the watermark is not finished: to roll it up now would pass it off as whole.
    v_day_to := least(
        time_bucket(interval '1 day', v_to + interval '1 day - 1 microsecond'),
        internal.watermark('sample_1d'),
        internal.watermark('kind_1d')
    );
    commit;
    call refresh_continuous_aggregate('data.sample_1h', v_from, v_to);
    if v_day_from < v_day_to then
        call refresh_continuous_aggregate('data.sample_1d', v_day_from, v_day_to);
        call refresh_continuous_aggregate('data.kind_1d', v_day_from, v_day_to);
    end if;
    delete from data.late where late_id = any(v_late);
end
$$;
comment on procedure internal.refresh_late (integer, jsonb) is
'Job: rolls up the hours and days that got late samples, then forgets that they were late.';
