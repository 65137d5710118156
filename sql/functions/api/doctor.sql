create or replace function api.doctor(p_now timestamptz, p_cache text) returns json
language plpgsql stable
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
as $$
declare
    c_checks constant text [] := '{versions,jit,jobs,refresh,backlog,conflicts,quotas,pins,grants,query_sql,proof,cache}';
begin
    perform internal.check_operator();
    return (
        with finding as materialized (
            select * from internal.diagnose(p_now)
            union all
            select
                'cache',
                'warning',
                format('Answers are computed by the database, because the cache is not used: %s.', p_cache),
                'Check SUPERVISOR_REDIS_URL and the server that it names.'
            where p_cache is not null
        )
        select json_build_object(
            'status', coalesce((select min(finding.status) from finding), 'ok'),
            'versions', json_build_object(
                'release', (select version from deploy.release order by release_id desc limit 1),
                'postgresql', split_part(current_setting('server_version'), ' ', 1),
                'timescaledb', (select extversion from pg_extension where extname = 'timescaledb')
            ),
            'checked', c_checks,
            'findings', (
                select coalesce(
                    json_agg(finding order by finding.status, array_position(c_checks, finding.name), finding.detail),
                    '[]'
                )
                from finding
            )
        )
    );
end
$$;
comment on function api.doctor(timestamptz, text) is
'What is wrong with the database, and the statement that repairs or shows it: {status, versions, checked,
findings: [{name, status, detail, repair}]}. status is ok, warning or error; checked are the checks that were
made. p_cache is why the caller does not use its cache, null where it does.
Errors: namespace_default.';
