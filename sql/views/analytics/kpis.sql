create or replace view analytics.kpis
with (security_barrier) as
select
    kpi.namespace,
    kpi.name,
    version.version,
    version.author,
    lower(version.valid) as defined_at,
    version.document ->> 'description' as description,
    version.document ->> 'unit' as unit,
    (version.document ->> 'target')::double precision as target,
    version.document ->> 'direction' as direction,
    kpi.created_at,
    kpi.deleted_at,
    kpi.deleted_by,
    version.document
from data.every_kpi as kpi
inner join lateral (
    select *
    from data.kpi_version
    where kpi_version.kpi_id = kpi.kpi_id
    order by kpi_version.version desc
    limit 1
) as version on true
where coalesce(kpi.namespace = any((select internal.shown_namespaces())::text[]), true);
comment on view analytics.kpis is 'KPIs with their newest version, deleted ones too.';
comment on column analytics.kpis.namespace is 'Namespace; empty for the default one.';
comment on column analytics.kpis.name is 'Name of the KPI.';
comment on column analytics.kpis.version is 'Number of the newest version.';
comment on column analytics.kpis.author is 'Who defined it.';
comment on column analytics.kpis.defined_at is 'When it was defined.';
comment on column analytics.kpis.description is 'What the KPI says.';
comment on column analytics.kpis.unit is 'Unit of its values.';
comment on column analytics.kpis.target is 'Target, in the unit; null for none.';
comment on column analytics.kpis.direction is 'Which way is better: up or down.';
comment on column analytics.kpis.created_at is 'When the KPI was defined first.';
comment on column analytics.kpis.deleted_at is 'When it was deleted; null while it exists.';
comment on column analytics.kpis.deleted_by is 'Who deleted it; null while it exists.';
comment on column analytics.kpis.document is 'What the KPI says, with its defaults.';
