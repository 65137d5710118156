create or replace procedure internal.evaluate_alerts(p_job_id integer, p_config jsonb)
language plpgsql
as $$
declare
    c_most constant integer := p_config ->> 'rules';
    c_limit constant interval := p_config ->> 'statement_timeout';
    -- Where one backend serves everyone, it says how long a job may keep the others waiting.
    v_turn constant interval := nullif(current_setting('supervisor.turn', true), '');
    v_started constant timestamptz := clock_timestamp();
    v_began timestamptz;
    v_taken interval;
    v_rules bigint [] := internal.due_alert_rules(v_started, c_most);
    v_namespace text;
begin
    while cardinality(v_rules) > 0 loop
        v_began := clock_timestamp();
        begin
            perform internal.evaluate_alert_rules(v_rules, v_started);
            v_taken := clock_timestamp() - v_began;
        exception when query_canceled then
            perform internal.postpone_alert_rules(v_rules, clock_timestamp() - v_began, clock_timestamp());
            perform alter_job(p_job_id, next_start => clock_timestamp());
            return;
        end;
        if cardinality(v_rules) = 1 then
            -- It joins others again when as many like it would fit into the limit.
            update data.every_alert_rule
            set cancellations = case when v_taken > c_limit / c_most then 1 else 0 end
            where rule_id = any(v_rules) and cancellations > 0;
        end if;
        insert into data.alert_evaluation (began_at, ended_at) values (v_started, clock_timestamp())
        on conflict (single) do update set began_at = excluded.began_at, ended_at = excluded.ended_at;
        commit;
        v_rules := internal.due_alert_rules(v_started, c_most);
        -- The next ones take about as long as these did.
        if cardinality(v_rules) > 0 and clock_timestamp() - v_started + v_taken > v_turn * 0.8 then
            perform alter_job(p_job_id, next_start => clock_timestamp());
            return;
        end if;
    end loop;
    -- What is to be repeated, and what no longer is silenced.
    for v_namespace in
        select distinct namespace from data.every_subscription
        where alerts is not null
    loop
        perform set_config('supervisor.namespace', v_namespace, true);
        perform internal.enqueue_alerts(clock_timestamp());
    end loop;
end
$$;
comment on procedure internal.evaluate_alerts (integer, jsonb) is
'Job: evaluates the alert rules that are due, as many at a time as rules in its config says. Rules whose
evaluation is canceled are evaluated alone afterwards. statement_timeout in its config is the limit of a run,
which the embedded server keeps by canceling it.';
