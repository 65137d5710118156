create or replace function internal.missing_jobs()
returns table (policy text, statement text)
language sql stable
begin atomic
    select
        setting.policy,
        format(
            'select add_job(%L, %L%s);',
            setting.relation,
            min(setting.value #>> '{}') filter (where setting.setting = 'schedule_interval'),
            ', config => ' || quote_literal(
                jsonb_object_agg(setting.setting, setting.value)
                filter (where setting.setting <> 'schedule_interval')
            )
        )
    from deploy.setting
    where
        setting.relation like 'internal.%'
        and not exists (
            select from ops.policies
            where policies.relation = setting.relation and policies.policy = setting.policy
        )
    group by setting.relation, setting.policy;
end;
comment on function internal.missing_jobs() is
'The shipped jobs that somebody has deleted, and the statement that makes each again.';
