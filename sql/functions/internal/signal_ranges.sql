create or replace function internal.signal_ranges(
    p_servers bigint[], p_from timestamptz, p_to timestamptz, p_now timestamptz
)
returns table (
    server_id bigint, known tstzmultirange, impaired tstzmultirange, down tstzmultirange
)
language sql stable
begin atomic
    with part as (
        select
            past.server_id,
            past.status,
            past.during
        from data.health_interval as past
        where
            past.server_id = any(p_servers)
            -- Not &&, so that the index by server answers.
            and upper(past.during) > p_from
            and lower(past.during) < p_to
        union all
        select
            present.server_id,
            present.status,
            tstzrange(present.since, least(present.expires_at, p_now))
        from data.health_state as present
        where
            present.server_id = any(p_servers)
            and present.status <> 'unknown'
            and present.since < least(present.expires_at, p_now)
    )

    -- All servers in one pass: neighbors in time share pages, which each server would read again.
    -- Each range contains the next one: sums need no difference of them, which takes most of the time.
    select
        part.server_id,
        range_agg(part.during),
        coalesce(range_agg(part.during) filter (where part.status <> 'up'), '{}'),
        coalesce(range_agg(part.during) filter (where part.status = 'down'), '{}')
    from part
    group by part.server_id;
end;
comment on function internal.signal_ranges(bigint[], timestamptz, timestamptz, timestamptz) is
'When anything was known of a server, when one of its signals was degraded or down, and when one was down,
around [p_from, p_to). A server without any has no row.';
