create or replace function internal.kpi_json(p_name text) returns json
language sql stable
begin atomic
    select
        json_build_object(
            'name', name,
            'version', version,
            'author', author,
            'defined_at', defined_at,
            'document', document
        )
    from analytics.kpis
    where namespace = internal.namespace() and name = p_name;
end;
comment on function internal.kpi_json(text) is
'A KPI as lists show it: {name, version, author, defined_at, document}.';
