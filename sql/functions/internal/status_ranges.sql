create or replace function internal.status_ranges(
    p_servers bigint[],
    p_from timestamptz,
    p_to timestamptz,
    p_as_of timestamptz
)
returns table (
    server_id bigint,
    during tstzrange,
    up tstzmultirange,
    degraded tstzmultirange,
    down tstzmultirange,
    maintenance tstzmultirange
)
language sql stable
begin atomic
    with health as materialized (
        select *
        from internal.health_ranges(p_servers, p_from, p_to, p_as_of)
    ),

    plan as (
        select
            maintenance.server_id,
            range_agg(maintenance.during) as during
        from data.maintenance
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
        from data.server
        left join plan on server.server_id = plan.server_id
        where
            server.server_id = any(p_servers)
            and greatest(p_from, server.registered_at) < least(p_to, server.deregistered_at)
    )

    select
        planned.server_id,
        planned.during,
        health.up - planned.maintenance,
        health.degraded - planned.maintenance,
        health.down - planned.maintenance,
        planned.maintenance * tstzmultirange(planned.during)
    from planned
    inner join health on planned.server_id = health.server_id;
end;
comment on function internal.status_ranges(
    bigint[], timestamptz, timestamptz, timestamptz
) is
'The part of [p_from, p_to) in which each server was registered, and when in it the server was up,
degraded, down and in maintenance, by the plans that were known at p_as_of. The rest of it is unknown.
A server that was not registered in it has no row.';
