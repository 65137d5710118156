create or replace function api.delete_alert_rule(p_name text, p_author text, p_now timestamptz)
returns json
language plpgsql
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
as $$
declare
    v_id bigint;
    v_rule data.alert_rule;
    v_ended integer := 0;
begin
    perform internal.check_author(p_author);
    v_id := internal.find_alert_rule(p_name);
    -- An evaluation that runs ends first, and none begins before this is committed.
    select * into v_rule
    from data.alert_rule
    where rule_id = v_id
    for no key update;
    if v_rule.deleted_at is null then
        v_rule.deleted_at := internal.end_alert_rule_version(v_rule.rule_id, p_now);
        v_rule.deleted_by := p_author;
        update data.alert_rule
        set
            deleted_at = v_rule.deleted_at,
            deleted_by = v_rule.deleted_by,
            error = null,
            error_since = null
        where rule_id = v_rule.rule_id;
        v_ended := internal.resolve_alerts(
            v_rule.rule_id,
            'The rule was deleted by ' || p_author || '.',
            greatest(v_rule.deleted_at, v_rule.evaluated_at)
        );
    end if;
    return json_build_object(
        'name', v_rule.name,
        'deleted_at', v_rule.deleted_at,
        'deleted_by', v_rule.deleted_by,
        'ended', v_ended
    );
end
$$;
comment on function api.delete_alert_rule(text, text, timestamptz) is
'Deletes an alert rule: {name, deleted_at, deleted_by, ended}. Its firing alerts are resolved, its pending
ones are inactive; ended is their number. Its versions and their history stay, and define_alert_rule
restores it. Of a rule that is deleted already, the answer is the same as before, with ended 0.
Errors: author_well_formed, alert_rule_unknown.';
