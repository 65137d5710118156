create or replace function internal.overall_status(p_now timestamptz, p_servers bigint[])
returns table (server_id bigint, status text)
language sql stable
begin atomic
    select
        server.server_id,
        case
            when
                exists (
                    select from data.every_maintenance as maintenance
                    where
                        maintenance.server_id = server.server_id
                        and maintenance.during @> p_now
                        and maintenance.recorded @> p_now
                )
                then 'maintenance'
            when
                exists (
                    select from data.service_uptime
                    where
                        lower(service_uptime.during) <= p_now
                        and upper(service_uptime.during) > p_now - interval '30 seconds'
                )
                then
                    case max(array_position('{up,degraded,down}', known.status))
                        when 1 then 'up'
                        when 2 then 'degraded'
                        when 3 then 'down'
                        else 'unknown'
                    end
            else 'unknown'
        end
    from data.every_server as server
    left join data.health_state as known
        on
            server.server_id = known.server_id
            and server.deregistered_at is null
            and known.status <> 'unknown'
            and known.expires_at > p_now
    where server.server_id = any(coalesce(p_servers, array(select named.server_id from data.server as named)))
    group by server.server_id;
end;
comment on function internal.overall_status(timestamptz, bigint[]) is
'Status of servers, of all for null: maintenance inside a window, else the worst of the signals that
are known, also of one that another process reported a moment after p_now; unknown when none is, when
this service is not running, and of deregistered servers.';
