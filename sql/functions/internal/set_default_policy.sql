create or replace procedure internal.set_default_policy(
    p_relation text, p_policy text, p_settings jsonb
)
language plpgsql
as $$
declare
    v_shipped constant jsonb := (
        select jsonb_object_agg(setting, value)
        from deploy.setting
        where relation = p_relation and policy = p_policy
    );
    v_job record;
    v_found jsonb;
begin
    select job_id, schedule_interval, coalesce(config, '{}') as config into v_job
    from ops.policies
    where relation = p_relation and policy = p_policy
    order by job_id
    limit 1;
    if v_job.job_id is not null then
        v_found := internal.alter_unchanged(
            v_job.job_id, v_job.schedule_interval, v_job.config, coalesce(v_shipped, '{}'), p_settings
        );
    elsif v_shipped is null then
        call internal.create_policy(p_relation, p_policy, p_settings);
        v_found := p_settings;
    end if;

    delete from deploy.setting
    where relation = p_relation and policy = p_policy and not p_settings ? setting;
    insert into deploy.setting (relation, policy, setting, value, local_value, shipped_at)
    select
        p_relation, p_policy, setting.key, setting.value,
        case
            when v_found is null then 'null'
            when v_found -> setting.key is distinct from setting.value
                then coalesce(v_found -> setting.key, '"unset"')
        end,
        now()
    from jsonb_each(p_settings) as setting
    on conflict (relation, policy, setting) do update
        set value = excluded.value, local_value = excluded.local_value, shipped_at = excluded.shipped_at;
end
$$;
comment on procedure internal.set_default_policy (text, text, jsonb) is
'Sets what a release ships for a policy or job, named as in ops.policies: its schedule_interval and
keys of its config. It creates the policy once; a removed one stays removed. It changes a setting only
where the value is the last one that was shipped. deploy.setting notes what was kept.';
