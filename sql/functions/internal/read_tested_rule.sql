create or replace function internal.read_tested_rule(p_rule jsonb, p_name text)
returns data.alert_rule_version
language plpgsql stable
as $$
declare
    v_id bigint;
    v_rule data.alert_rule_version;
    v_faults jsonb;
begin
    if (p_rule is null) = (p_name is null) then
        raise exception 'neither rule nor name is sent, or both are'
            using errcode = 'SV422', constraint = 'rule_or_name', column = 'rule',
            hint = 'Send a rule to test it, or the name of a rule that is defined.';
    elsif p_name is not null then
        v_id := internal.find_alert_rule(p_name);
        select * into v_rule
        from data.alert_rule_version
        where rule_id = v_id
        order by version desc
        limit 1;
        return v_rule;
    end if;
    v_faults := internal.alert_rule_faults(
        coalesce(p_rule ->> 'name', 'tested'),
        case jsonb_typeof(p_rule) when 'object' then '{"author": "backtest"}' || p_rule else p_rule end
    );
    if v_faults is not null then
        perform internal.refuse_document(v_faults);
    end if;
    return row(0, 0, internal.alert_rule_defaults(p_rule), 'backtest', tstzrange(null, null))::data.alert_rule_version;
end
$$;
comment on function internal.read_tested_rule(jsonb, text) is
'The rule of a back-test: the one that was sent, or the newest version of the one of this name.
Errors: rule_or_name, alert_rule_unknown, document_refused.';
