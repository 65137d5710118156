create or replace function api.list_probe_targets(p_limit integer, p_except text[], p_now timestamptz)
returns json
language sql stable
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
begin atomic
    select
        coalesce(
            json_agg(
                json_build_object('namespace', due.namespace, 'server', due.name, 'remotes', due.remotes)
                order by due.asked_at
            ),
            '[]'
        )
    from (
        select
            server.namespace,
            server.name,
            remotes.listed as remotes,
            coalesce(probe.asked_at, '-infinity') as asked_at
        from data.every_server as server
        inner join data.server_version as version
            on server.server_id = version.server_id and upper_inf(version.valid)
        left join data.probe on server.server_id = probe.server_id
        cross join lateral (select internal.probed_remotes(version.document) as listed) as remotes
        where
            server.probe
            and server.status = 'active'
            and server.deregistered_at is null
            and (
                probe.asked_at is null
                or probe.asked_at < internal.probe_turn(server.server_id, server.keepalive_seconds, p_now)
            )
            and not concat_ws('@', nullif(server.namespace, ''), server.name) = any(p_except)
            and remotes.listed is not null
        order by asked_at, server.server_id
        limit p_limit
    ) as due;
end;
comment on function api.list_probe_targets(integer, text[], timestamptz) is
'Servers of all namespaces whose probe is due, those first that wait longest, without those in p_except, which
are names, with namespace@ before them outside of the default one:
[{namespace, server, remotes: [{type, url}, ...]}, ...]. A server is due once in each of its turns; see
internal.probe_turn. One that was never asked is due at once.';
