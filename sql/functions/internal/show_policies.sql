create or replace function internal.show_policies()
returns table (policy text, name text, value text, shipped text)
language sql stable
begin atomic
    -- Of several jobs of a procedure, the one that a deploy and the setters change.
    with job as (
        select distinct on (relation, policy)
            relation,
            policy,
            config
        from ops.policies
        order by relation, policy, job_id
    )

    select
        kind.policy,
        coalesce(kind.setting_name, job.relation) as name,
        job.config ->> kind.setting as value,
        setting.value #>> '{}' as shipped
    from (
        values
        ('retention', 'policy_retention', 'drop_after', null),
        ('columnstore', 'policy_compression', 'compress_after', null),
        ('refresh', 'refresh_rollups', 'end_offset', 'end_offset'),
        ('refresh', 'refresh_late', 'settle', 'settle')
    ) as kind (policy, job, setting, setting_name)
    inner join job on kind.job = job.policy
    left join deploy.setting
        on
            job.relation = setting.relation
            and kind.job = setting.policy
            and kind.setting = setting.setting
    union all
    select
        'quota',
        quota.name,
        quota.value::text,
        null
    from data.quota;
end;
comment on function internal.show_policies() is
'What a database administrator may change: retention, columnstore, refresh and quotas, with the value that the
release ships, which quotas have none of.';
