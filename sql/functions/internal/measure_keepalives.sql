create or replace function internal.measure_keepalives(
    p_rules data.alert_rule_version[],
    p_from timestamptz,
    p_to timestamptz,
    p_step interval
)
returns setof data.alert_reading
language sql stable
begin atomic
    with condition as materialized (
        select
            rule.rule_id,
            internal.rule_servers(rule.document -> 'condition') as servers
        from unnest(p_rules) as rule
    ),

    service as materialized (
        select range_agg(tstzrange(lower(during), upper(during) + interval '30 seconds')) as uptime
        from data.service_uptime
        where upper(during) > p_from - interval '4 days'
    ),

    part as materialized (
        select
            server_id,
            during
        from data.health_interval
        where signal = 'keepalive'
        union all
        select
            server_id,
            tstzrange(since, expires_at)
        from data.health_state
        where signal = 'keepalive' and status <> 'unknown'
    ),

    keepalive as materialized (
        select
            server_id,
            range_agg(during) as during
        from part
        where server_id in (select unnest(condition.servers) from condition)
        group by server_id
    )

    select
        row(
            condition.rule_id,
            instant.at,
            server.name,
            extract(epoch from instant.at - (
                select max(upper(kept))
                from unnest(keepalive.during) as kept
                where upper(kept) <= instant.at
            )),
            case
                when keepalive.during @> instant.at - interval '1 microsecond' then false
                -- Keep-alives could not arrive while the service was stopped.
                when service.uptime @> tstzrange(
                    instant.at - interval '3 seconds' * server.keepalive_seconds, instant.at
                ) then true
            end,
            1,
            null
        )::data.alert_reading
    from condition
    inner join keepalive on keepalive.server_id = any(condition.servers)
    inner join data.server on keepalive.server_id = server.server_id
    cross join service
    cross join generate_series(p_from, p_to, p_step) as instant (at)
    where
        lower(keepalive.during) < instant.at
        and server.registered_at < instant.at
        and (server.deregistered_at is null or server.deregistered_at >= instant.at);
end;
comment on function internal.measure_keepalives(
    data.alert_rule_version[], timestamptz, timestamptz, interval
) is
'The conditions of rules of type keepalive, of each registered server that has sent one: active when
none counts any more; value is for how many seconds. active is null while the service has not been
running for long enough to know.';
