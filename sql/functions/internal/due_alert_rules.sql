create or replace function internal.due_alert_rules(p_now timestamptz, p_limit integer)
returns bigint[]
language sql stable
begin atomic
    with due as (
        select
            rule.rule_id,
            rule.namespace,
            rule.cancellations > 0 as alone,
            row_number() over (
                order by
                    rule.cancellations > 0,
                    case when rule.cancellations > 0 then rule.due_at end nulls first,
                    rule.namespace,
                    -- Neighbors share windows.
                    version.document #>> '{condition,window}',
                    version.document #>> '{condition,kind}',
                    rule.rule_id
            ) as place
        from data.every_alert_rule as rule
        inner join data.alert_rule_version as version
            on rule.rule_id = version.rule_id and upper_inf(version.valid)
        where
            rule.deleted_at is null
            -- A job does not start on the microsecond.
            and (rule.due_at is null or rule.due_at < p_now + interval '1 second')
            and (rule.evaluated_at is null or rule.evaluated_at < p_now)
            and (
                (version.document ->> 'enabled')::boolean
                or exists (
                    select from data.every_alert as alert
                    where alert.rule_id = rule.rule_id
                )
            )
    )

    select
        array(
            select due.rule_id
            from due
            where
                due.place <= case when due.alone then 1 else p_limit end
                and due.namespace = (
                    select first_one.namespace from due as first_one
                    where first_one.place = 1
                )
            order by due.place
        );
end;
comment on function internal.due_alert_rules(timestamptz, integer) is
'The rules that are to be evaluated together at p_now: at most p_limit, of one namespace, and where no others
are left, one whose evaluation was canceled.';
