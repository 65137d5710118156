create or replace function internal.check_registry_quotas(p_server bigint, p_now timestamptz)
returns void
language plpgsql
as $$
declare
    v_exceeded record;
begin
    select
        quota.name,
        quota.value,
        present.noun,
        present.n
    into v_exceeded
    from (
        -- A server without a version is being registered.
        select 'servers' as quota, 'servers' as noun, count(*) as n
        from data.server
        where not exists (select from data.server_version where server_id = p_server)
        union all
        select
            'new_versions_per_server_and_hour', 'new versions of the server in an hour', count(*) + 1
        from data.server_version
        where server_id = p_server and lower(valid) > p_now - interval '1 hour'
    ) as present
    inner join data.quota on present.quota = quota.name
    where present.n > quota.value
    order by quota.name
    limit 1;
    if found then
        raise exception 'this would be % %; the quota is %',
            v_exceeded.n, v_exceeded.noun, v_exceeded.value
            using errcode = 'SV429', constraint = 'registry_within_quota',
            detail = jsonb_strip_nulls(jsonb_build_object(
                'quota', v_exceeded.name,
                'allowed', v_exceeded.value,
                'retry_after_seconds', case when v_exceeded.name like '%hour' then 3600 end
            )),
            hint = case v_exceeded.name
                when 'servers' then 'Register a server once, and change its entry.'
                else 'Register a version once, not at every call, or continue in an hour.'
            end
            || ' A database administrator raises the quota: update data.quota set value = '
            || 2 * v_exceeded.value || ' where name = ''' || v_exceeded.name || ''';';
    end if;
end
$$;
comment on function internal.check_registry_quotas(bigint, timestamptz) is
'Refuses a new version of a server that would exceed a row of data.quota, and the first version of one
server too many.
Errors: registry_within_quota.';
