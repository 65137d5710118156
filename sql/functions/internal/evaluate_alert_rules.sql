create or replace function internal.evaluate_alert_rules(p_rules bigint[], p_now timestamptz)
returns integer
language plpgsql
as $$
declare
    -- It is that of the rules in here, and afterwards what it was. An owner who is no superuser may not have
    -- SET of the function do this.
    v_namespace constant text := internal.namespace();
    v_rules data.alert_rule_version [];
    v_good data.alert_rule_version [];
    v_transitions integer;
    v_error text;
begin
    perform set_config('supervisor.namespace', rule.namespace, true)
    from data.every_alert_rule as rule
    where rule.rule_id = p_rules[1];
    -- What another evaluator has, it evaluates; what it had evaluated for a later time is done.
    v_rules := array(
        select stated
        from data.every_alert_rule as rule
        inner join data.alert_rule_version as stated
            on rule.rule_id = stated.rule_id and upper_inf(stated.valid)
        where
            rule.rule_id = any(p_rules)
            and rule.namespace = internal.namespace()
            and rule.deleted_at is null
            and (rule.evaluated_at is null or rule.evaluated_at < p_now)
        for update of rule skip locked
    );
    v_good := array(
        select rule from unnest(v_rules) as rule
        where internal.alert_rule_error(rule.document -> 'condition') is null
    );
    begin
        v_transitions := internal.change_alerts(v_good, p_now);
    exception when data_exception or program_limit_exceeded or raise_exception or case_not_found then
        get stacked diagnostics v_error = message_text;
        if cardinality(v_rules) > 1 then
            -- Each of them alone: only those that fail have failed.
            select sum(internal.evaluate_alert_rules(array[rule_id], p_now)) into v_transitions
            from unnest(v_rules);
            perform set_config('supervisor.namespace', v_namespace, true);
            return v_transitions;
        end if;
        v_good := '{}';
    end;
    update data.every_alert_rule as rule
    set
        evaluated_at = p_now,
        due_at = p_now + internal.evaluation_interval(stated.document -> 'condition'),
        error = failed.error,
        error_since = case when failed.error is not null then coalesce(rule.error_since, p_now) end
    from unnest(v_rules) as stated
    cross join lateral (
        select
            coalesce(
                internal.alert_rule_error(stated.document -> 'condition'),
                case when v_good = '{}' then v_error end
            ) as error
    ) as failed
    where rule.rule_id = stated.rule_id;
    if v_transitions > 0 then
        perform internal.enqueue_alerts(p_now);
    end if;
    perform set_config('supervisor.namespace', v_namespace, true);
    return coalesce(v_transitions, 0);
end
$$;
comment on function internal.evaluate_alert_rules(bigint[], timestamptz) is
'Evaluates rules of one namespace that nobody else evaluates at this moment, and answers with the number of
transitions. A rule that cannot be evaluated keeps its alerts and says why in data.alert_rule.error; the
others go on.';
