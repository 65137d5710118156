create or replace function internal.show_health(p_now timestamptz)
returns table (
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
    select
        server.name,
        overall.status,
        overall.since,
        coalesce(signals.statuses ->> 'keepalive', 'unknown'),
        coalesce(signals.statuses ->> 'probe', 'unknown'),
        coalesce(signals.statuses ->> 'traffic', 'unknown'),
        coalesce(signals.statuses ->> 'report', 'unknown'),
        signals.disagreement
    from internal.current_health(p_now, null) as overall
    inner join data.server on overall.server_id = server.server_id
    left join
        internal.signal_health(p_now, array(select every.server_id from data.server as every)) as signals
        on overall.server_id = signals.server_id
    where server.deregistered_at is null;
end;
comment on function internal.show_health(timestamptz) is
'The rows of analytics.health_status at this time.';
