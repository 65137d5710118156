create or replace function internal.report_faults(p_item jsonb, p_now timestamptz)
returns table (field text, slug text, detail text)
language sql stable
begin atomic
    with reported as (
        select max(internal.source_fault(coalesce(source, ''))) as source_fault
        from data.server
        where name = p_item ->> 'server' and deregistered_at is null
    ),

    fault as (
        select
            case rule.slug when 'source_of_key' then 'server' end as field,
            rule.slug,
            rule.detail
        from (
            values
            (
                'server_registered',
                jsonb_typeof(p_item -> 'server') is distinct from 'string'
                or not exists (
                    select from data.server
                    where server.name = p_item ->> 'server' and server.deregistered_at is null
                ),
                case jsonb_typeof(p_item -> 'server')
                    when 'string'
                        then
                            'No server "' || left(p_item ->> 'server', 200) || '" is registered. '
                            || 'list_servers (GET /registry/servers) lists all servers.'
                end
            ),
            (
                'source_of_key',
                (select reported.source_fault from reported) is not null,
                (select reported.source_fault from reported)
            ),
            (
                'health_status_known',
                coalesce(p_item ->> 'status' not in ('up', 'degraded', 'down'), true),
                'The status is ' || internal.value_shown(p_item -> 'status')
                || '. Send up, degraded or down.'
            ),
            (
                'latency_in_range',
                jsonb_typeof(p_item -> 'latency_ms') <> 'null'
                and (internal.read_number(p_item -> 'latency_ms') between 0 and 1e9) is not true,
                'The latency_ms is ' || internal.value_shown(p_item -> 'latency_ms')
                || '. Send a number between 0 and 1e9.'
            ),
            (
                'detail_well_formed',
                jsonb_typeof(p_item -> 'detail') not in ('string', 'null')
                or length(p_item ->> 'detail') not between 1 and 1000,
                null
            ),
            (
                'reporter_well_formed',
                jsonb_typeof(p_item -> 'reporter') not in ('string', 'null')
                or not internal.fits(p_item ->> 'reporter', 'owner'),
                null
            )
        ) as rule (slug, broken, detail)
        where rule.broken
        union all
        select *
        from internal.ts_faults(p_item -> 'ts', p_now, 'sample')
        -- Reports have a retention of their own.
        where slug <> 'ts_within_retention'
        union all
        select
            'ts',
            'ts_within_retention',
            'The ts is older than the retention of reports, ' || kept.retention || '.'
        from (select internal.retention('health_report') as retention) as kept
        where internal.read_ts(p_item -> 'ts', p_now) < p_now - kept.retention
        union all
        select * from internal.unknown_fields(p_item, '{server,status,ts,latency_ms,detail,reporter}')
    )

    select
        coalesce(fault.field, rule.field),
        fault.slug,
        coalesce(fault.detail, rule.detail)
    from fault
    inner join internal.item_rules() as rule on fault.slug = rule.slug;
end;
comment on function internal.report_faults(jsonb, timestamptz) is
'Every rule that an item with a report of health breaks; no row exactly when check_reports calls the
item good.';
