create or replace procedure internal.restore_watermarks(p_watermarks jsonb)
language plpgsql
as $$
declare
    c_instant constant interval := interval '1 microsecond';
    v_watermark timestamptz;
    v_rollup record;
begin
    truncate data.sample;
    -- A watermark follows a refresh that makes a bucket, so that there has to be a sample.
    for v_watermark in
        select distinct value::timestamptz from jsonb_each_text(p_watermarks) order by 1
    loop
        insert into data.sample (series_id, kind_id, ts, seq, value, observations, counter)
        values (0, 0, v_watermark - c_instant, 0, 0, 1, false);
        commit;
        for v_rollup in
            select *
            from internal.rollups()
            where
                (p_watermarks ->> name)::timestamptz >= v_watermark
                and time_bucket(width, v_watermark) = v_watermark
            order by place
        loop
            call refresh_continuous_aggregate(
                'data.' || quote_ident(v_rollup.name), v_watermark - v_rollup.width, v_watermark
            );
        end loop;
    end loop;
    -- With their chunks: a refresh takes a time without chunks for one whose samples were dropped.
    truncate data.sample;
    -- Without its last chunk, a rollup would lose its watermark.
    for v_rollup in
        select stored_in from internal.exported_relations() where stored_in::text <> name
    loop
        execute format('delete from %s', v_rollup.stored_in);
    end loop;
end
$$;
comment on procedure internal.restore_watermarks (jsonb) is
'Gives the rollups of a database without samples the watermarks that they have in an export.';
