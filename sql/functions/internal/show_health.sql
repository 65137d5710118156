create or replace function internal.show_health(p_now timestamptz)
returns table (
    namespace text,
    server text,
    status text,
    since timestamptz,
    keepalive text,
    probe text,
    traffic text,
    report text,
    disagreement text
)
language sql stable
security definer
set search_path = pg_catalog, public, pg_temp
begin atomic
    with shown as materialized (
        select
            array(
                select server.server_id
                from data.every_server as server
                where
                    server.deregistered_at is null
                    and coalesce(server.namespace = any((select internal.shown_namespaces())::text[]), true)
            ) as servers
    )

    select
        server.namespace,
        server.name,
        overall.status,
        overall.since,
        coalesce(signals.statuses ->> 'keepalive', 'unknown'),
        signals.statuses ->> 'probe',
        coalesce(signals.statuses ->> 'traffic', 'unknown'),
        coalesce(signals.statuses ->> 'report', 'unknown'),
        signals.disagreement
    from shown
    cross join lateral internal.current_health(p_now, shown.servers) as overall
    inner join data.every_server as server on overall.server_id = server.server_id
    inner join
        internal.signal_health(p_now, (select each.servers from shown as each)) as signals
        on overall.server_id = signals.server_id;
end;
comment on function internal.show_health(timestamptz) is
'The rows of analytics.health_status at this time, for the login that asks.';
