create or replace procedure internal.refresh_range(
    p_from timestamptz, p_to timestamptz, p_finished timestamptz
)
language plpgsql
as $$
declare
    v_rollup record;
    v_watermark timestamptz;
    v_start timestamptz;
    v_end timestamptz;
    -- Up to where each of them is made.
    v_reach jsonb := '{"sample": "infinity"}';
begin
    for v_rollup in
        select * from internal.rollups() order by place
    loop
        v_watermark := internal.watermark(v_rollup.name);
        -- Above the watermark, the refresh must not include a bucket that is unfinished or whose parts are
        -- not all made,
        v_end := least(
            time_bucket(v_rollup.width, p_to + v_rollup.width - interval '1 microsecond'),
            greatest(
                v_watermark,
                time_bucket(
                    v_rollup.width, least(p_finished, (v_reach ->> v_rollup.parent)::timestamptz)
                )
            )
        );
        -- and a refresh that moves the watermark must leave no gap below it.
        v_start := time_bucket(v_rollup.width, p_from);
        if v_end > v_watermark then
            v_start := least(v_start, v_watermark);
        end if;
        if v_start < v_end then
            call internal.refresh_buckets(v_rollup.name, v_start, v_end);
        end if;
        v_reach := v_reach || jsonb_build_object(v_rollup.name, greatest(v_watermark, v_end));
    end loop;
end
$$;
comment on procedure internal.refresh_range (timestamptz, timestamptz, timestamptz) is
'Refreshes the buckets of every rollup that [p_from, p_to) touches, new ones where they end by
p_finished.';
