create or replace function internal.measure_health(
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
            rule.document #> '{condition,statuses}' as statuses,
            internal.rule_servers(rule.document -> 'condition') as servers
        from unnest(p_rules) as rule
    ),

    health as materialized (
        -- An instant belongs to what was known just before it.
        select
            instant.at,
            server.server_id,
            server.name,
            case
                when ranges.down @> instant.at - interval '1 microsecond' then 'down'
                when ranges.degraded @> instant.at - interval '1 microsecond' then 'degraded'
                when ranges.up @> instant.at - interval '1 microsecond' then 'up'
                else 'unknown'
            end as status
        from
            internal.health_ranges(
                array(select distinct unnest(condition.servers) from condition),
                p_from - interval '1 second', p_to, p_to
            ) as ranges
        inner join data.server on ranges.server_id = server.server_id
        cross join generate_series(p_from, p_to, p_step) as instant (at)
        where
            server.registered_at < instant.at
            and (server.deregistered_at is null or server.deregistered_at >= instant.at)
    )

    select
        row(
            condition.rule_id,
            health.at,
            health.name,
            null,
            condition.statuses ? health.status,
            1,
            array[array_position('{unknown,up,degraded,down}', health.status) - 1]
        )::data.alert_reading
    from condition
    inner join health on health.server_id = any(condition.servers);
end;
comment on function internal.measure_health(
    data.alert_rule_version[], timestamptz, timestamptz, interval
) is
'The conditions of rules of type health, of each registered server. Maintenance is not taken out: it
suppresses the alert. parts is the status: 0 unknown, 1 up, 2 degraded, 3 down.';
