create or replace function internal.health_since(
    p_servers bigint[], p_statuses text[], p_from timestamptz, p_now timestamptz
)
returns table (server_id bigint, status text, since timestamptz)
language sql stable
begin atomic
    with started as (
        select
            present.server_id,
            present.status,
            server.registered_at,
            -- Without a part that reaches to p_now, the status begins at this moment.
            coalesce(
                (
                    select max(lower(part.during))
                    from
                        unnest(
                            case present.status
                                when 'up' then ranges.up
                                when 'degraded' then ranges.degraded
                                when 'down' then ranges.down
                                when 'maintenance' then ranges.maintenance
                                else
                                    tstzmultirange(tstzrange(lower(ranges.during), p_now))
                                    - ranges.up - ranges.degraded - ranges.down - ranges.maintenance
                            end
                        ) as part (during)
                    where upper(part.during) >= p_now
                ),
                p_now
            ) as since,
            ranges.server_id is not null as looked_at
        from unnest(p_servers, p_statuses) as present (server_id, status)
        inner join data.every_server as server on present.server_id = server.server_id
        left join
            internal.status_ranges(p_servers, p_from, p_now, p_now) as ranges
            on present.server_id = ranges.server_id
    )

    select
        server_id,
        status,
        case when registered_at >= p_from or looked_at and since > p_from then since end
    from started;
end;
comment on function internal.health_since(bigint[], text[], timestamptz, timestamptz) is
'Since when each server has its present status; null where that began before p_from.';
