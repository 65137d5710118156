create or replace function api.get_server(p_name text, p_as_of timestamptz, p_now timestamptz)
returns json
language plpgsql stable
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
as $$
declare
    v_server constant bigint := internal.find_server(p_name);
    v_registered_at constant timestamptz := (
        select registered_at from data.server where server_id = v_server
    );
begin
    perform internal.check_as_of(p_as_of, p_now);
    if p_as_of < v_registered_at then
        raise exception 'server "%" was not registered at %', p_name, to_json(p_as_of) #>> '{}'
            using errcode = 'SV404', constraint = 'server_not_registered_yet', column = 'as_of',
            detail = jsonb_build_object('registered_at', v_registered_at),
            hint = format('It was registered at %s. Send a later as_of.', to_json(v_registered_at) #>> '{}');
    end if;
    return (
        select
            json_build_object(
                'name', server.name,
                'local', server.local,
                'owner', server.owner,
                'status', case when server.deregistered_at is null then server.status else 'deregistered' end,
                'tier', server.tier,
                'tags', server.tags,
                'source', server.source,
                'keepalive_seconds', server.keepalive_seconds,
                'failures_to_down', server.failures_to_down,
                'successes_to_recover', server.successes_to_recover,
                'sla_target', server.sla_target,
                'probe', server.probe,
                'registered_at', server.registered_at,
                'updated_at', server.updated_at,
                'deregistered_at', server.deregistered_at,
                'health', (
                    select
                        json_build_object(
                            'status', health.status,
                            'since', nullif(health.since, '-infinity'),
                            'last_seen', (
                                select max(seen_at)
                                from data.health_state
                                where server_id = v_server
                            )
                        )
                    from internal.current_health(p_now, array[v_server]) as health
                    where server.deregistered_at is null
                ),
                'version', at.version,
                'document', at.document,
                'capabilities', at.capabilities,
                'versions', (
                    select
                        json_agg(
                            json_build_object(
                                'version', past.version, 'from', lower(past.valid), 'to', upper(past.valid)
                            )
                            order by past.valid desc
                        )
                    from (
                        select *
                        from data.server_version
                        where server_id = v_server
                        order by valid desc
                        limit 100
                    ) as past
                )
            )
        from data.server
        left join data.server_version as at
            on
                server.server_id = at.server_id
                and case when p_as_of is null then upper_inf(at.valid) else at.valid @> p_as_of end
        where server.server_id = v_server
    );
end
$$;
comment on function api.get_server(text, timestamptz, timestamptz) is
'A server of the registry, with its present health, the version that it had at p_as_of, by default now,
and its newest 100 versions: {name, …, health: {status, since, last_seen}, version, document,
capabilities, versions: [{version, from, to}]}. health is null of a deregistered server; last_seen
is when a signal of it was up or degraded last. Where it was deregistered at that time, version and what
belongs to it are null.
Errors: server_unknown, server_not_registered_yet, as_of_not_in_future.';
