create or replace function internal.observed_ranges(
    p_servers bigint[], p_from timestamptz, p_to timestamptz, p_now timestamptz
)
returns table (server_id bigint, during tstzmultirange)
language sql stable
begin atomic
    with newest as (
        select max(lower(during)) as began_at
        from data.service_uptime
    ),

    running as (
        select during
        from data.service_uptime
        where during && tstzrange(p_from, p_to)
        union all
        -- A running service says so every few seconds.
        select tstzrange(max(upper(during)), p_now)
        from data.service_uptime
        cross join newest
        where lower(during) <= p_now
        having
            max(upper(during)) < p_now
            and max(upper(during)) > p_now - case
                -- It stopped then: only those who asked before its next word did not know.
                when max(newest.began_at) > p_now then interval '5 seconds'
                else interval '30 seconds'
            end
    ),

    service as materialized (
        select coalesce(range_agg(during), '{}') as uptime
        from running
    ),

    asked as materialized (
        select
            server.server_id,
            greatest(p_from, server.registered_at) as begins_at,
            least(p_to, server.deregistered_at, p_now) as ends_at
        from data.every_server as server
        where server.server_id = any(p_servers)
    )

    select
        asked.server_id,
        case
            when asked.begins_at < asked.ends_at
                then service.uptime * tstzmultirange(tstzrange(asked.begins_at, asked.ends_at))
            else '{}'
        end as during
    from asked
    cross join service;
end;
comment on function internal.observed_ranges(
    bigint[], timestamptz, timestamptz, timestamptz
) is
'When in [p_from, p_to) this service was running and each server was registered, up to p_now.';
