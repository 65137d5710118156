create or replace function internal.find_kpi(p_name text) returns bigint
language plpgsql stable
as $$
declare
    v_kpi constant bigint := (select kpi_id from data.kpi where name = p_name);
    v_nearest text;
begin
    if v_kpi is null then
        v_nearest := internal.nearest_name(
            p_name, array(select name from data.kpi where deleted_at is null), 0.25
        );
        raise exception 'unknown KPI "%"', left(p_name, 200)
            using errcode = 'SV404', constraint = 'kpi_unknown', column = 'name',
            detail = jsonb_strip_nulls(jsonb_build_object('nearest', v_nearest)),
            hint = internal.suggestion(v_nearest) || 'list_kpis (GET /kpis) lists all KPIs.';
    end if;
    return v_kpi;
end
$$;
comment on function internal.find_kpi(text) is
'The KPI of this name, also a deleted one. The error names the nearest one that exists.
Errors: kpi_unknown.';
