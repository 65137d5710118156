create or replace procedure internal.refresh_rollup(p_job_id integer, p_config jsonb)
language plpgsql
as $$
declare
    -- A piece of the first refresh. Later, all is one piece, of which invalidated buckets cost time.
    c_piece constant interval := interval '168 hours';
    v_rollup constant name := p_config ->> 'rollup';
    v_end constant timestamptz := time_bucket(
        internal.rollup_width(v_rollup), now() - (p_config ->> 'end_offset')::interval
    );
    v_oldest constant timestamptz := nullif(internal.oldest_chunk('sample'), 'infinity');
    v_upto timestamptz := greatest(
        internal.watermark(v_rollup), time_bucket(interval '24 hours', v_oldest)
    );
begin
    if v_oldest is null then
        return;
    end if;
    loop
        v_upto := least(v_upto + c_piece, v_end);
        call internal.refresh_buckets(v_rollup, '-infinity', v_upto);
        exit when v_upto = v_end;
    end loop;
end
$$;
comment on procedure internal.refresh_rollup (integer, jsonb) is
'Job: refreshes the rollup that its config names, from the oldest samples up to end_offset ago. The
refresh policy of TimescaleDB would erase buckets whose samples were dropped.';
