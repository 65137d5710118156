create or replace function internal.health_since(
    p_servers bigint[], p_statuses text[], p_from timestamptz, p_now timestamptz
)
returns table (server_id bigint, status text, since timestamptz)
language sql stable
begin atomic
    with history as (
        select
            ranges.server_id,
            present.status,
            server.registered_at,
            ranges.up - planned.during as up,
            ranges.degraded - planned.during as degraded,
            ranges.down - planned.during as down,
            planned.during as maintenance
        from internal.health_ranges(p_servers, p_from, p_now, p_now) as ranges
        inner join
            unnest(p_servers, p_statuses) as present (server_id, status)
            on ranges.server_id = present.server_id
        inner join data.server on ranges.server_id = server.server_id
        cross join
            lateral (
                select coalesce(range_agg(maintenance.during), '{}') as during
                from data.maintenance
                where
                    maintenance.server_id = ranges.server_id
                    and maintenance.recorded @> p_now
                    and maintenance.during && tstzrange(p_from, p_now, '[]')
            ) as planned
    ),

    started as (
        select
            history.server_id,
            history.status,
            history.registered_at,
            -- Without a part that reaches to p_now, the status begins at this moment.
            coalesce(
                (
                    select max(lower(part.during))
                    from
                        unnest(
                            case history.status
                                when 'up' then history.up
                                when 'degraded' then history.degraded
                                when 'down' then history.down
                                when 'maintenance' then history.maintenance
                                else
                                    case
                                        when greatest(p_from, history.registered_at) < p_now
                                            then
                                                tstzmultirange(
                                                    tstzrange(greatest(p_from, history.registered_at), p_now)
                                                )
                                        else '{}'
                                    end
                                    - history.up - history.degraded - history.down - history.maintenance
                            end
                        ) as part (during)
                    where lower(part.during) <= p_now and upper(part.during) >= p_now
                ),
                p_now
            ) as since
        from history
    )

    select
        server_id,
        status,
        case when since > p_from or registered_at >= p_from then since end
    from started;
end;
comment on function internal.health_since(bigint[], text[], timestamptz, timestamptz) is
'Since when each server has its present status; null where that began before p_from.';
