create or replace function api.heartbeat(p_names text[], p_now timestamptz) returns json
language plpgsql
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
as $$
declare
    v_sources constant text [] := internal.bound_sources();
    v_other record;
    v_renewed text [];
    v_first bigint [];
    v_unknown text [];
begin
    if cardinality(p_names) > 10000 then
        raise exception 'the call names % servers; the limit is 10000', cardinality(p_names)
            using errcode = 'SV413', constraint = 'batch_within_limit', column = 'names',
            hint = 'Split the names into parts of at most 10000.';
    end if;
    if v_sources is not null then
        select
            name,
            source
        into v_other
        from data.server
        where name = any(p_names) and deregistered_at is null and (source = any(v_sources)) is not true
        order by name
        limit 1;
        if found then
            perform internal.own_source(v_other.name, v_other.source);
        end if;
    end if;
    with known as materialized (
        select server_id, name, p_now + internal.health_lasts('keepalive', keepalive_seconds) as expires_at
        from data.server
        where name = any(p_names) and deregistered_at is null
    ),
    -- Every call locks the states in this order: calls wait for each other and do not deadlock.
    before as materialized (
        select
            state.*,
            known.expires_at as renewed_until
        from known
        inner join data.health_state as state
            on known.server_id = state.server_id and state.signal = 'keepalive'
        order by state.server_id
        for no key update of state
    ),
    ended as (
        insert into data.health_interval (server_id, signal, status, during)
        select server_id, signal, status, tstzrange(since, expires_at)
        from before
        where status <> 'unknown' and expires_at < p_now
    ),
    renewed as (
        update data.health_state as state
        set
            status = 'up',
            since = case
                when before.status = 'up' and before.expires_at >= p_now then before.since
                else p_now
            end,
            last_at = p_now,
            seen_at = p_now,
            expires_at = before.renewed_until,
            recent = '{up}'
        from before
        where state.server_id = before.server_id and state.signal = 'keepalive'
            -- What arrives after newer news, or after the end of an older status, moves nothing.
            and p_now >= greatest(before.last_at, before.since)
    )
    select
        coalesce(array_agg(known.name), '{}'),
        -- Not a join: without statistics it would be a nested loop over both.
        array_agg(known.server_id) filter (
            where known.server_id not in (select before.server_id from before)
        )
    into v_renewed, v_first
    from known;

    if v_first is not null then
        -- What ended or began since the statement before is seen by the next one.
        v_first := array(select internal.hold_registrations(v_first));
        insert into data.health_state (
            server_id, signal, status, since, last_at, seen_at, expires_at, recent
        )
        select
            server.server_id, 'keepalive', 'up', began.at, began.at, began.at,
            began.at + internal.health_lasts('keepalive', server.keepalive_seconds), '{up}'
        from data.server
        -- The clock that ended an earlier registration may be ahead of this one.
        cross join lateral (
            select greatest(p_now, internal.registered_since(server.server_id)) as at
        ) as began
        where server.server_id = any(v_first)
        order by server.server_id
        -- Another call was first, a moment ago.
        on conflict (server_id, signal) do nothing;
    end if;

    v_unknown := array(
        select unnest(array_remove(p_names, null))
        except
        select unnest(v_renewed)
        order by 1
    );
    if cardinality(p_names) = 1 and cardinality(v_unknown) = 1 then
        perform internal.find_registered(v_unknown[1]);
    end if;
    return json_build_object('renewed', cardinality(v_renewed), 'unknown', v_unknown);
end
$$;
comment on function api.heartbeat(text[], timestamptz) is
'Renews the keep-alives of at most 10000 servers: {renewed, unknown}. unknown lists the names that are
not registered; when it is the only name of the call, that is an error.
Errors: server_unknown, source_of_key, batch_within_limit.';
