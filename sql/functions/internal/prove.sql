create or replace procedure internal.prove(p_job_id integer, p_config jsonb)
language plpgsql
as $$
declare
    -- Where one backend serves everyone, it says how long a job may keep the others waiting.
    v_turn constant interval := nullif(current_setting('supervisor.turn', true), '');
    v_started constant timestamptz := clock_timestamp();
    v_picked record;
begin
    for v_picked in
        select
            rollup.name,
            picked.bucket
        from internal.rollups() as rollup
        cross join lateral internal.pick_buckets(rollup.name, (p_config ->> 'buckets')::integer)
            as picked (bucket)
    loop
        perform internal.prove_bucket(v_picked.name, v_picked.bucket, now());
        commit;
        exit when clock_timestamp() - v_started > v_turn;
    end loop;
end
$$;
comment on procedure internal.prove (integer, jsonb) is
'Job: computes random buckets of each rollup again from samples, as many as its config says, and records
what differs in data.proof. Where others wait, it ends when its turn does.';
