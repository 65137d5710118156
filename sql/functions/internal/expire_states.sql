create or replace function internal.expire_states(p_now timestamptz) returns integer
language sql
begin atomic
    with expired as materialized (
        select *
        from data.health_state
        where status <> 'unknown' and expires_at < p_now
        -- What is being reported at this moment does not expire.
        for no key update skip locked
    ),

    ended as (
        insert into data.health_interval (server_id, signal, status, during, reason)
        select
            server_id,
            signal,
            status,
            tstzrange(since, expires_at),
            reason
        from expired
    ),

    moved as (
        update data.health_state as state
        set status = 'unknown', since = expired.expires_at, recent = '{}', reason = null
        from expired
        where state.server_id = expired.server_id and state.signal = expired.signal
    )

    select count(*)::integer from expired;
end;
comment on function internal.expire_states(timestamptz) is
'Turns the states that nobody reports any more to unknown, since the moment at which they ended; returns
their number.';
