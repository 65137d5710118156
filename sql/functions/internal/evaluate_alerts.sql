create or replace procedure internal.evaluate_alerts(p_job_id integer, p_config jsonb)
language plpgsql
as $$
declare
    c_most constant integer := p_config ->> 'rules';
    -- Where one backend serves everyone, it says how long a job may keep the others waiting.
    v_turn constant interval := nullif(current_setting('supervisor.turn', true), '');
    v_started constant timestamptz := clock_timestamp();
    v_began timestamptz;
    v_rules bigint [];
begin
    loop
        v_began := clock_timestamp();
        v_rules := internal.due_alert_rules(v_started, c_most);
        perform internal.evaluate_alert_rules(v_rules, v_started);
        insert into data.alert_evaluation (began_at, ended_at) values (v_started, clock_timestamp())
        on conflict (single) do update set began_at = excluded.began_at, ended_at = excluded.ended_at;
        commit;
        exit when cardinality(v_rules) < c_most;
        -- The next ones take about as long as these did.
        if clock_timestamp() - v_started + (clock_timestamp() - v_began) > v_turn * 0.8 then
            perform alter_job(p_job_id, next_start => clock_timestamp());
            return;
        end if;
    end loop;
    -- What is to be repeated, and what no longer is silenced.
    perform internal.enqueue_alerts(clock_timestamp());
end
$$;
comment on procedure internal.evaluate_alerts (integer, jsonb) is
'Job: evaluates the alert rules that are due, as many at a time as rules in its config says.';
