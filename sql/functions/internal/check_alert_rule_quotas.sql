create or replace function internal.check_alert_rule_quotas(p_rule bigint, p_now timestamptz)
returns void
language plpgsql
as $$
begin
    perform internal.refuse_over_quota(
        'new_versions_per_alert_rule_and_hour',
        (
            select count(*) + 1
            from data.alert_rule_version
            where rule_id = p_rule and lower(valid) > p_now - interval '1 hour'
        ),
        'new versions of the rule in an hour',
        'Define a rule when it changes, not at every call, or continue in an hour.'
    );
    -- A rule without a version is being defined.
    if not exists (select from data.alert_rule_version where rule_id = p_rule) then
        perform internal.refuse_over_quota(
                'alert_rules',
            (select count(*) from data.alert_rule),
            'alert rules',
            'Let one rule watch many sources with group_by; a deleted rule counts too, because its history stays.'
        );
    end if;
end
$$;
comment on function internal.check_alert_rule_quotas(bigint, timestamptz) is
'Refuses a new version of an alert rule that would exceed a row of data.quota, and the first version of
one rule too many.
Errors: count_within_quota.';
