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
    select
        ranges.server_id,
        ranges.during,
        ranges.known - ranges.impaired,
        ranges.impaired - ranges.down,
        ranges.down,
        ranges.maintenance
    from internal.known_ranges(p_servers, p_from, p_to, p_as_of) as ranges;
end;
comment on function internal.status_ranges(
    bigint[], timestamptz, timestamptz, timestamptz
) is
'The part of [p_from, p_to) in which each server was registered, and when in it the server was up,
degraded, down and in maintenance, by the plans that were known at p_as_of. The rest of it is unknown.
A server that was not registered in it has no row.';
