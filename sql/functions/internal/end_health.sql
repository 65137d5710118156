create or replace function internal.end_health(p_server bigint, p_at timestamptz) returns void
language sql
begin atomic
    with ended as (
        delete from data.health_state
        where server_id = p_server
        returning *
    )

    insert into data.health_interval (server_id, signal, status, during, reason)
    select
        server_id,
        signal,
        status,
        tstzrange(since, least(expires_at, p_at)),
        reason
    from ended
    where status <> 'unknown' and since < least(expires_at, p_at);
end;
comment on function internal.end_health(bigint, timestamptz) is
'Ends the states of all signals of a server, and forgets its keep-alives and reports.';
