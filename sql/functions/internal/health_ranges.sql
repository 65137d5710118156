create or replace function internal.health_ranges(
    p_servers bigint[], p_from timestamptz, p_to timestamptz, p_now timestamptz
)
returns table (
    server_id bigint, up tstzmultirange, degraded tstzmultirange, down tstzmultirange
)
language sql stable
begin atomic
    select
        observed.server_id,
        coalesce((signals.known - signals.impaired) * observed.during, '{}'),
        coalesce((signals.impaired - signals.down) * observed.during, '{}'),
        coalesce(signals.down * observed.during, '{}')
    from internal.observed_ranges(p_servers, p_from, p_to, p_now) as observed
    left join internal.signal_ranges(p_servers, p_from, p_to, p_now) as signals
        on observed.server_id = signals.server_id;
end;
comment on function internal.health_ranges(
    bigint[], timestamptz, timestamptz, timestamptz
) is
'When each server was up, degraded and down in [p_from, p_to): of its signals, the worst one that was
known. Every other time is unknown: nobody reported, this service was not running, the server was not
registered, or it is after p_now. Maintenance is not taken out.';
