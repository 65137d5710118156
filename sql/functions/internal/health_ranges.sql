create or replace function internal.health_ranges(
    p_servers bigint[], p_from timestamptz, p_to timestamptz, p_now timestamptz
)
returns table (
    server_id bigint, up tstzmultirange, degraded tstzmultirange, down tstzmultirange
)
language sql stable
begin atomic
    with asked as materialized (
        select
            server.server_id,
            case
                when
                    greatest(p_from, server.registered_at)
                    < least(p_to, server.deregistered_at, p_now)
                    then tstzrange(
                        greatest(p_from, server.registered_at),
                        least(p_to, server.deregistered_at, p_now)
                    )
            end as span
        from data.server
        where server.server_id = any(p_servers)
    ),

    service as materialized (
        select coalesce(range_agg(part.during), '{}') as uptime
        from (
            select during
            from data.service_uptime
            where during && tstzrange(p_from, p_to)
            union all
            -- A running service says so every few seconds.
            select tstzrange(max(upper(during)), p_now)
            from data.service_uptime
            where lower(during) <= p_now
            having
                max(upper(during)) > p_now - interval '30 seconds'
                and max(upper(during)) < p_now
        ) as part
    ),

    part as (
        select
            asked.server_id,
            past.status,
            past.during
        from asked
        inner join data.health_interval as past
            on asked.server_id = past.server_id and asked.span && past.during
        union all
        select
            present.server_id,
            present.status,
            tstzrange(present.since, least(present.expires_at, p_now))
        from data.health_state as present
        where
            present.server_id = any(p_servers)
            and present.status <> 'unknown'
            and present.since < least(present.expires_at, p_now)
    ),

    signals as (
        select
            part.server_id,
            coalesce(range_agg(part.during) filter (where part.status = 'up'), '{}') as up,
            coalesce(range_agg(part.during) filter (where part.status = 'degraded'), '{}') as degraded,
            coalesce(range_agg(part.during) filter (where part.status = 'down'), '{}') as down
        from part
        group by part.server_id
    ),

    known as (
        select
            asked.server_id,
            service.uptime * coalesce(tstzmultirange(asked.span), '{}') as observed,
            coalesce(signals.up, '{}') as up,
            coalesce(signals.degraded, '{}') as degraded,
            coalesce(signals.down, '{}') as down
        from asked
        cross join service
        left join signals on asked.server_id = signals.server_id
    )

    select
        known.server_id,
        known.up * known.observed - known.degraded - known.down,
        known.degraded * known.observed - known.down,
        known.down * known.observed
    from known;
end;
comment on function internal.health_ranges(
    bigint[], timestamptz, timestamptz, timestamptz
) is
'When each server was up, degraded and down in [p_from, p_to): of its signals, the worst one that was
known. Every other time is unknown: nobody reported, this service was not running, the server was not
registered, or it is after p_now. Maintenance is not taken out.';
