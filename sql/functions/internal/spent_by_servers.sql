create or replace function internal.spent_by_servers(
    p_rules data.alert_rule_version[],
    p_from timestamptz,
    p_to timestamptz,
    p_step interval
)
returns table (
    rule_id bigint,
    at timestamptz,
    label text,
    length interval,
    share double precision,
    target double precision,
    observations bigint
)
language sql stable
begin atomic
    with condition as materialized (
        select
            rule.rule_id,
            rule.document -> 'condition' as document,
            internal.rule_servers(rule.document -> 'condition') as servers
        from unnest(p_rules) as rule
    ),

    part as materialized (
        select distinct
            condition.rule_id,
            piece.length
        from condition
        cross join lateral internal.burn_pairs(condition.document) as pair
        cross join lateral unnest(array[pair.short, pair.long]) as piece (length)
    ),

    piece as materialized (
        select distinct part.length
        from part
    ),

    status as materialized (
        select ranges.*
        from internal.status_ranges(
            array(select distinct unnest(condition.servers) from condition),
            p_from - (select max(piece.length) from piece),
            p_to,
            p_to
        ) as ranges
    ),

    spent as materialized (
        select
            status.server_id,
            instant.at,
            piece.length,
            internal.range_seconds(
                status.down * tstzmultirange(tstzrange(instant.at - piece.length, instant.at))
            ) as down,
            internal.range_seconds(
                (status.up + status.degraded + status.down)
                * tstzmultirange(tstzrange(instant.at - piece.length, instant.at))
            ) as known
        from status
        cross join generate_series(p_from, p_to, p_step) as instant (at)
        cross join piece
    )

    select
        condition.rule_id,
        spent.at,
        server.name,
        spent.length,
        internal.quotient(spent.down::double precision, spent.known::double precision),
        server.sla_target,
        round(spent.known)::bigint
    from condition
    inner join part on condition.rule_id = part.rule_id
    inner join spent on part.length = spent.length and spent.server_id = any(condition.servers)
    inner join data.server on spent.server_id = server.server_id
    where
        server.registered_at < spent.at
        and (server.deregistered_at is null or server.deregistered_at >= spent.at);
end;
comment on function internal.spent_by_servers(
    data.alert_rule_version[], timestamptz, timestamptz, interval
) is
'The share of the known time, in each window of rules of type burn_rate, in which servers were down.
observations are the known seconds; target is that of the server.';
