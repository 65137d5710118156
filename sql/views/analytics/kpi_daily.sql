create or replace view analytics.kpi_daily
with (security_barrier) as
with term as (
    select
        kpi.namespace,
        kpi.kpi_id,
        kpi.name,
        version.version,
        version.document,
        role.name as role,
        kind.kind_id,
        version.document #>> array[role.name, 'statistic'] as statistic,
        coalesce(version.document #> array[role.name, 'where'], '{}') as filter
    from data.every_kpi as kpi
    inner join data.kpi_version as version on kpi.kpi_id = version.kpi_id and upper_inf(version.valid)
    cross join unnest('{numerator,denominator}'::text[]) as role (name)
    inner join data.every_kind as kind
        on kpi.namespace = kind.namespace and version.document #>> array[role.name, 'kind'] = kind.name
    where coalesce(kpi.namespace = any((select internal.shown_namespaces())::text[]), true)
),

part as (
    -- All series of a kind are one row a day.
    select
        term.namespace,
        term.kpi_id,
        term.name,
        term.version,
        term.document,
        day.bucket as day,
        term.role,
        case term.statistic when 'count' then day.observations else day.value_sum end as value
    from term
    inner join data.kind_1d as day on term.kind_id = day.kind_id
    where term.filter = '{}' and term.statistic <> 'increase'
    union all
    select
        term.namespace,
        term.kpi_id,
        term.name,
        term.version,
        term.document,
        day.bucket,
        term.role,
        case term.statistic
            when 'count' then day.observations
            when 'sum' then day.value_sum
            when 'increase' then
                day.increase + internal.growth(day.value_first, before.value_last, null, null)
        end
    from term
    inner join data.series on term.kind_id = series.kind_id
    inner join data.every_source as source on series.source_id = source.source_id
    inner join data.sample_1d as day on series.series_id = day.series_id
    -- What a counter has grown by its first reading, it has since the one of the day before.
    left join data.sample_1d as before
        on
            day.series_id = before.series_id
            and day.bucket - interval '24 hours' = before.bucket
            and term.statistic = 'increase'
    where
        (term.filter <> '{}' or term.statistic = 'increase')
        and (not term.filter ? 'source' or term.filter ->> 'source' = source.name)
        and series.labels @> coalesce(term.filter -> 'labels', '{}')
        and series.labels ?& array(select jsonb_array_elements_text(term.filter -> 'has'))
),

total as (
    select
        namespace,
        kpi_id,
        name,
        version,
        document,
        day,
        sum(value) filter (where role = 'numerator') as numerator,
        sum(value) filter (where role = 'denominator') as denominator
    from part
    group by namespace, kpi_id, name, version, document, day
),

reached as (
    select
        total.*,
        internal.kpi_value(document, numerator, denominator) as value
    from total
)

select
    namespace,
    name,
    day,
    version,
    numerator,
    denominator,
    value,
    document ->> 'unit' as unit,
    (document ->> 'target')::double precision as target,
    internal.kpi_status(document, value) as status
from reached;
comment on view analytics.kpi_daily is
'Every KPI on each day that is rolled up, by its present version; as long as days are kept.';
comment on column analytics.kpi_daily.namespace is 'Namespace; empty for the default one.';
comment on column analytics.kpi_daily.name is 'Name of the KPI.';
comment on column analytics.kpi_daily.day is 'Start of the day, UTC.';
comment on column analytics.kpi_daily.version is 'Version that it is computed by.';
comment on column analytics.kpi_daily.numerator is 'What is divided; null where there was nothing.';
comment on column analytics.kpi_daily.denominator is
'What it is divided by; null where there was nothing, or the KPI has none.';
comment on column analytics.kpi_daily.value is 'Value, in the unit; null without a denominator of its own.';
comment on column analytics.kpi_daily.unit is 'Unit.';
comment on column analytics.kpi_daily.target is 'Target, in the unit; null for none.';
comment on column analytics.kpi_daily.status is 'met, missed, no_target or no_data.';
