create or replace function internal.known_ranges(
    p_servers bigint[],
    p_from timestamptz,
    p_to timestamptz,
    p_as_of timestamptz
)
returns table (
    server_id bigint,
    during tstzrange,
    known tstzmultirange,
    impaired tstzmultirange,
    down tstzmultirange,
    maintenance tstzmultirange
)
language sql stable
begin atomic
    with plan as (
        select
            maintenance.server_id,
            range_agg(maintenance.during) as during
        from data.every_maintenance as maintenance
        where
            maintenance.server_id = any(p_servers)
            and maintenance.during && tstzrange(p_from, p_to)
            and maintenance.recorded @> p_as_of
        group by maintenance.server_id
    ),

    planned as materialized (
        select
            server.server_id,
            tstzrange(
                greatest(p_from, server.registered_at), least(p_to, server.deregistered_at)
            ) as during,
            coalesce(plan.during, '{}') as maintenance
        from data.every_server as server
        left join plan on server.server_id = plan.server_id
        where
            server.server_id = any(p_servers)
            and greatest(p_from, server.registered_at) < least(p_to, server.deregistered_at)
    )

    select
        planned.server_id,
        planned.during,
        coalesce(signals.known * (observed.during - planned.maintenance), '{}'),
        coalesce(signals.impaired * (observed.during - planned.maintenance), '{}'),
        coalesce(signals.down * (observed.during - planned.maintenance), '{}'),
        planned.maintenance * tstzmultirange(planned.during)
    from planned
    inner join internal.observed_ranges(p_servers, p_from, p_to, p_as_of) as observed
        on planned.server_id = observed.server_id
    left join internal.signal_ranges(p_servers, p_from, p_to, p_as_of) as signals
        on planned.server_id = signals.server_id;
end;
comment on function internal.known_ranges(
    bigint[], timestamptz, timestamptz, timestamptz
) is
'The part of [p_from, p_to) in which each server was registered, and when in it anything was known of the
server outside of maintenance, when it was degraded or down, and when it was down, by the plans that were
known at p_as_of. Each range contains the next one. A server that was not registered in it has no row.';
