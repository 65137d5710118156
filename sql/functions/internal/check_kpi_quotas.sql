create or replace function internal.check_kpi_quotas(p_kpi bigint, p_now timestamptz) returns void
language plpgsql
as $$
begin
    perform internal.refuse_over_quota(
        'new_versions_per_kpi_and_hour',
        (
            select count(*) + 1
            from data.kpi_version
            where kpi_id = p_kpi and lower(valid) > p_now - interval '1 hour'
        ),
        'new versions of the KPI in an hour',
        'Define a KPI when it changes, not at every call, or continue in an hour.'
    );
    perform internal.refuse_over_quota(
        'kpis',
        (select count(*) from data.kpi where deleted_at is null or kpi_id = p_kpi),
        'KPIs',
        'Delete one that nobody reads.'
    );
end
$$;
comment on function internal.check_kpi_quotas(bigint, timestamptz) is
'Refuses a new version of a KPI that would exceed a row of data.quota.
Errors: count_within_quota.';
