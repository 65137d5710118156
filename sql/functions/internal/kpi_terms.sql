create or replace function internal.kpi_terms(p_kpis bigint[])
returns table (kpi_id bigint, role text, kind_id bigint, statistic text, filter jsonb)
language sql stable
begin atomic
    select
        version.kpi_id,
        role.name,
        kind.kind_id,
        version.document #>> array[role.name, 'statistic'],
        coalesce(version.document #> array[role.name, 'where'], '{}')
    from data.kpi_version as version
    cross join unnest('{numerator,denominator}'::text[]) as role (name)
    inner join data.kind on version.document #>> array[role.name, 'kind'] = kind.name
    where version.kpi_id = any(p_kpis) and upper_inf(version.valid);
end;
comment on function internal.kpi_terms(bigint[]) is
'What KPIs are computed from, by their present versions: the numerator and the denominator of each, where
it has one. A kind that does not exist any more has no row.';
