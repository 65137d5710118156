create or replace function internal.probe_reason(p_server bigint) returns text
language sql stable
begin atomic
    select
        case
            when not server.probe then 'probing is off for this server'
            when server.status <> 'active'
                then 'not asked: only active servers are, this one is ' || server.status
            when internal.probed_remotes(version.document) is null
                then coalesce(internal.unasked_remotes(version.document), 'no remote of HTTP type')
            when probe.asked_at >= internal.registered_since(p_server) then probe.detail
            else 'not asked yet'
        end
    from data.every_server as server
    left join data.server_version as version
        on server.server_id = version.server_id and upper_inf(version.valid)
    left join data.probe on server.server_id = probe.server_id
    where server.server_id = p_server;
end;
comment on function internal.probe_reason(bigint) is
'Why the signal probe of a server is not known.';
