create or replace function internal.check_registry_quotas(p_server bigint, p_now timestamptz)
returns void
language plpgsql
as $$
begin
    perform internal.refuse_over_quota(
        'new_versions_per_server_and_hour',
        (
            select count(*) + 1
            from data.server_version
            where server_id = p_server and lower(valid) > p_now - interval '1 hour'
        ),
        'new versions of the server in an hour',
        'Register a version once, not at every call, or continue in an hour.'
    );
    -- A server without a version is being registered.
    if not exists (select from data.server_version where server_id = p_server) then
        perform internal.refuse_over_quota(
                'servers',
            (select count(*) from data.server),
            'servers',
            'Register a server once, and change its entry.'
        );
    end if;
end
$$;
comment on function internal.check_registry_quotas(bigint, timestamptz) is
'Refuses a new version of a server that would exceed a row of data.quota, and the first version of one
server too many.
Errors: count_within_quota.';
