create or replace function internal.find_alert_rule(p_name text, p_field text default 'name')
returns bigint
language plpgsql stable
as $$
declare
    v_rule constant bigint := (select rule_id from data.alert_rule where name = p_name);
    v_nearest text;
begin
    if v_rule is null then
        v_nearest := internal.nearest_name(
            p_name, array(select name from data.alert_rule where deleted_at is null), 0.25
        );
        raise exception 'unknown alert rule "%"', left(p_name, 200)
            using errcode = 'SV404', constraint = 'alert_rule_unknown', column = p_field,
            detail = jsonb_strip_nulls(jsonb_build_object('nearest', v_nearest)),
            hint = internal.suggestion(v_nearest)
            || 'list_alert_rules (GET /alerts/rules) lists all rules.';
    end if;
    return v_rule;
end
$$;
comment on function internal.find_alert_rule(text, text) is
'The alert rule of this name, also a deleted one; p_field is the argument that has the name. The error
names the nearest rule.
Errors: alert_rule_unknown.';
