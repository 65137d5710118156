create or replace procedure internal.refresh_late(p_job_id integer, p_config jsonb)
language plpgsql
as $$
declare
    v_late bigint [];
    v_from timestamptz;
    v_to timestamptz;
    v_rollup record;
    v_start timestamptz;
    v_end timestamptz;
begin
    select
        array_agg(late_id),
        min(bucket),
        max(bucket) + interval '1 hour'
    into v_late, v_from, v_to
    from data.late;
    if v_late is null then
        return;
    end if;
    commit;
    for v_rollup in
        select
            name,
            internal.rollup_width(name) as width
        from unnest('{sample_1h,sample_1d,kind_1d}'::name []) as name
    loop
        -- The refresh must not include an unfinished bucket above the watermark,
        v_end := least(
            time_bucket(v_rollup.width, v_to + v_rollup.width - interval '1 microsecond'),
            greatest(
                internal.watermark(v_rollup.name), time_bucket(v_rollup.width, now() - interval '1 hour')
            )
        );
        -- and a refresh that moves the watermark must leave no gap below it.
        v_start := time_bucket(v_rollup.width, v_from);
        if v_end > internal.watermark(v_rollup.name) then
            v_start := least(v_start, internal.watermark(v_rollup.name));
        end if;
        if v_start < v_end then
            call internal.refresh_buckets(v_rollup.name, v_start, v_end);
        end if;
    end loop;
    delete from data.late where late_id = any(v_late);
end
$$;
comment on procedure internal.refresh_late (integer, jsonb) is
'Job: refreshes the hours and days that got late samples, then deletes their entries in data.late.';
