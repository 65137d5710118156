create or replace function internal.signal_ranges(
    p_server bigint, p_from timestamptz, p_to timestamptz, p_now timestamptz
)
returns table (up tstzmultirange, degraded tstzmultirange, down tstzmultirange)
language sql stable
begin atomic
    with part as (
        select
            past.status,
            past.during
        from data.health_interval as past
        where
            past.server_id = p_server
            -- Not &&, so that the index by server answers without the table.
            and upper(past.during) > p_from
            and lower(past.during) < p_to
        union all
        select
            present.status,
            tstzrange(present.since, least(present.expires_at, p_now))
        from data.health_state as present
        where
            present.server_id = p_server
            and present.status <> 'unknown'
            and present.since < least(present.expires_at, p_now)
    )

    select
        coalesce(range_agg(during) filter (where status = 'up'), '{}'),
        coalesce(range_agg(during) filter (where status = 'degraded'), '{}'),
        coalesce(range_agg(during) filter (where status = 'down'), '{}')
    from part;
end;
comment on function internal.signal_ranges(bigint, timestamptz, timestamptz, timestamptz) is
'When any signal of a server was up, when one was degraded, and when one was down, around [p_from, p_to).';
