create or replace function internal.registered_since(p_server bigint) returns timestamptz
language sql stable
begin atomic
    select
        coalesce(
            (
                select max(lower(part.during))
                from (
                    select range_agg(valid) as ranges
                    from data.server_version
                    where server_id = p_server
                ) as registered
                cross join unnest(registered.ranges) as part (during)
            ),
            server.registered_at
        )
    from data.every_server as server
    where server.server_id = p_server;
end;
comment on function internal.registered_since(bigint) is
'When the last registration of a server began: the first one, or the one after it was deregistered.';
