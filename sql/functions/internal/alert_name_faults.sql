create or replace function internal.alert_name_faults(p_condition jsonb)
returns table (field text, slug text, detail text)
language sql stable
begin atomic
    with metric as (
        select
            place.path,
            place.condition ->> 'kind' as kind,
            place.condition ->> 'statistic' as statistic
        from (
            values
            ('condition.', p_condition),
            ('condition.divided_by.', p_condition -> 'divided_by'),
            ('condition.after.', p_condition -> 'after'),
            ('condition.during.', p_condition -> 'during'),
            ('condition.during.divided_by.', p_condition #> '{during,divided_by}')
        ) as place (path, condition)
    )

    select
        metric.path || 'kind',
        'kind_known',
        'The kind "' || metric.kind || '" is not known. '
        || internal.suggestion(internal.nearest_kind(metric.kind))
        || 'list_kinds (GET /query/kinds) lists all kinds.'
    from metric
    where
        internal.fits(metric.kind, 'metric_name')
        and not exists (
            select from data.kind
            where kind.name = metric.kind
        )
    union all
    select
        metric.path || 'statistic',
        'statistic_of_kind',
        'The kind "' || kind.name || '" is a histogram, which has no last value. Send another statistic.'
    from metric
    inner join data.kind on metric.kind = kind.name
    where kind.type = 'histogram' and metric.statistic = 'last'
    union all
    select
        format('condition.servers[%s]', unknown.n - 1),
        'server_registered',
        'The server "' || unknown.name || '" is not registered. '
        || internal.suggestion(internal.nearest_server(unknown.name))
        || 'list_servers (GET /registry/servers) lists all servers.'
    from (
        select
            element.name,
            element.n
        from
            jsonb_array_elements_text(
                case when jsonb_typeof(p_condition -> 'servers') = 'array' then p_condition -> 'servers' end
            ) with ordinality as element (name, n)
        where
            internal.fits(element.name, 'server_name')
            and not exists (
                select from data.server
                where server.name = element.name and server.deregistered_at is null
            )
        order by element.n
        limit 100
    ) as unknown;
end;
comment on function internal.alert_name_faults(jsonb) is
'Kinds and servers in a condition that are not known, with the nearest known names, and statistics that a
kind does not have.';
