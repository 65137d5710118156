create or replace function api.delete_kpi(p_name text, p_author text, p_now timestamptz)
returns json
language plpgsql
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
as $$
declare
    v_id bigint;
    v_kpi data.kpi;
begin
    perform internal.check_author(p_author);
    v_id := internal.find_kpi(p_name);
    select * into v_kpi
    from data.kpi
    where kpi_id = v_id
    for no key update;
    if v_kpi.deleted_at is null then
        v_kpi.deleted_at := internal.end_kpi_version(v_kpi.kpi_id, p_now);
        v_kpi.deleted_by := p_author;
        update data.kpi
        set deleted_at = v_kpi.deleted_at, deleted_by = v_kpi.deleted_by
        where kpi_id = v_kpi.kpi_id;
    end if;
    return json_build_object(
        'name', v_kpi.name,
        'deleted_at', v_kpi.deleted_at,
        'deleted_by', v_kpi.deleted_by
    );
end
$$;
comment on function api.delete_kpi(text, text, timestamptz) is
'Deletes a KPI: {name, deleted_at, deleted_by}. Its versions stay, and define_kpi restores it. Of a KPI that
is deleted already, the answer is the same as before.
Errors: author_well_formed, kpi_unknown.';
