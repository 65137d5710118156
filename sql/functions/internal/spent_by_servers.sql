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
            internal.rule_servers(rule.document -> 'condition') as servers,
            pair.lengths
        from unnest(p_rules) as rule
        cross join lateral (
            select array_agg(distinct part.length) as lengths
            from internal.burn_pairs(rule.document -> 'condition') as named
            cross join lateral unnest(array[named.short, named.long]) as part (length)
        ) as pair
    ),

    status as materialized (
        select ranges.*
        from internal.status_ranges(
            array(select distinct unnest(condition.servers) from condition),
            p_from - (select max(part) from condition cross join unnest(condition.lengths) as part),
            p_to,
            p_to
        ) as ranges
    ),

    spent as materialized (
        select
            status.server_id,
            instant.at,
            part.length,
            internal.range_seconds(status.down * part.during) as down,
            internal.range_seconds((status.up + status.degraded + status.down) * part.during) as known
        from status
        cross join generate_series(p_from, p_to, p_step) as instant (at)
        cross join (
            select distinct unnest(condition.lengths) as length
            from condition
        ) as wanted
        cross join lateral (
            select
                wanted.length,
                tstzmultirange(tstzrange(instant.at - wanted.length, instant.at)) as during
        ) as part
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
    inner join spent on spent.server_id = any(condition.servers) and spent.length = any(condition.lengths)
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
