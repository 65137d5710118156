create or replace function api.define_kpi(p_name text, p_document jsonb, p_now timestamptz)
returns json
language plpgsql
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
as $$
declare
    v_sent constant jsonb := case jsonb_typeof(p_document)
        when 'object' then jsonb_build_object('name', p_name) || p_document
        else p_document
    end;
    v_faults constant jsonb := internal.kpi_faults(p_name, v_sent);
    v_document jsonb;
    v_created boolean;
    v_kpi data.kpi;
    v_last data.kpi_version;
    v_next data.kpi_version;
begin
    if v_faults is not null then
        perform internal.refuse_document(v_faults);
    end if;
    v_document := '{"direction": "up"}' || (v_sent - '{name,author}'::text[]);

    insert into data.kpi (name, created_at)
    select p_name, p_now
    -- `on conflict` alone would use up a number for every definition.
    where not exists (select from data.kpi where name = p_name)
    on conflict (namespace, name) do nothing;
    v_created := found;
    select * into v_kpi
    from data.kpi
    where name = p_name
    for no key update;
    select * into v_last
    from data.kpi_version
    where kpi_id = v_kpi.kpi_id
    order by version desc
    limit 1;

    v_next := v_last;
    if v_kpi.deleted_at is not null or v_last.document is distinct from v_document then
        perform internal.check_kpi_quotas(v_kpi.kpi_id, p_now);
        v_next := row(
            v_kpi.kpi_id,
            coalesce(v_last.version, 0) + 1,
            v_document,
            v_sent ->> 'author',
            internal.version_from(v_last.valid, p_now)
        );
        perform internal.end_kpi_version(v_kpi.kpi_id, lower(v_next.valid));
        insert into data.kpi_version
        select v_next.*;
        update data.kpi
        set deleted_at = null, deleted_by = null
        where kpi_id = v_kpi.kpi_id and deleted_at is not null;
    end if;

    return internal.definition_json(
        p_name, v_created, v_kpi.deleted_at is not null, v_last.version, v_last.document,
        v_next.version, v_document, v_next.author, lower(v_next.valid)
    );
end
$$;
comment on function api.define_kpi(text, jsonb, timestamptz) is
'Defines a KPI, or changes it. p_document is {author, description, numerator, denominator, unit, target,
direction}; see internal.kpi_schema. Another document begins a new version; the same one changes nothing.
Returns {name, outcome, version, author, defined_at, changes}; outcome is created, changed, unchanged, or
restored for a KPI that was deleted. changes is [{field, before, after}] against the version before.
Errors: document_refused, count_within_quota.';
