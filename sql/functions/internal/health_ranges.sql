create or replace function internal.health_ranges(
    p_servers bigint[], p_from timestamptz, p_to timestamptz, p_now timestamptz
)
returns table (
    server_id bigint, up tstzmultirange, degraded tstzmultirange, down tstzmultirange
)
language sql stable
begin atomic
    with newest as (
        select max(lower(during)) as began_at
        from data.service_uptime
    ),

    running as (
        select during
        from data.service_uptime
        where during && tstzrange(p_from, p_to)
        union all
        -- A running service says so every few seconds.
        select tstzrange(max(upper(during)), p_now)
        from data.service_uptime
        cross join newest
        where lower(during) <= p_now
        having
            max(upper(during)) < p_now
            and max(upper(during)) > p_now - case
                -- It stopped then: only those who asked before its next word did not know.
                when max(newest.began_at) > p_now then interval '5 seconds'
                else interval '30 seconds'
            end
    ),

    service as materialized (
        select coalesce(range_agg(during), '{}') as uptime
        from running
    ),

    asked as materialized (
        select
            server.server_id,
            greatest(p_from, server.registered_at) as begins_at,
            least(p_to, server.deregistered_at, p_now) as ends_at
        from data.server
        where server.server_id = any(p_servers)
    ),

    observed as materialized (
        select
            asked.server_id,
            case
                when asked.begins_at < asked.ends_at
                    then service.uptime * tstzmultirange(tstzrange(asked.begins_at, asked.ends_at))
                else '{}'
            end as during
        from asked
        cross join service
    )

    select
        observed.server_id,
        coalesce(signals.up * observed.during - signals.degraded - signals.down, '{}'),
        coalesce(signals.degraded * observed.during - signals.down, '{}'),
        coalesce(signals.down * observed.during, '{}')
    from observed
    left join internal.signal_ranges(p_servers, p_from, p_to, p_now) as signals
        on observed.server_id = signals.server_id;
end;
comment on function internal.health_ranges(
    bigint[], timestamptz, timestamptz, timestamptz
) is
'When each server was up, degraded and down in [p_from, p_to): of its signals, the worst one that was
known. Every other time is unknown: nobody reported, this service was not running, the server was not
registered, or it is after p_now. Maintenance is not taken out.';
