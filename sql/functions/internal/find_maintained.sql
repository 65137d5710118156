create or replace function internal.find_maintained(p_servers text[]) returns bigint[]
language plpgsql stable
as $$
declare
    v_servers bigint [];
    v_unknown text [];
begin
    if cardinality(p_servers) between 1 and 1000 then
        select
            array_agg(distinct server.server_id),
            array_agg(distinct coalesce(sent.name, '')) filter (where server.server_id is null)
        into v_servers, v_unknown
        from unnest(p_servers) as sent (name)
        left join data.server on sent.name = server.name and server.deregistered_at is null;
        if v_unknown is null then
            return v_servers;
        end if;
        raise exception 'unknown server "%"', left(array_to_string(v_unknown, '", "'), 1000)
            using errcode = 'SV404', constraint = 'server_unknown', column = 'servers',
            detail = jsonb_strip_nulls(jsonb_build_object(
                'unknown', v_unknown, 'nearest', internal.nearest_server(v_unknown[1])
            )),
            hint = internal.suggestion(internal.nearest_server(v_unknown[1]))
            || 'list_servers (GET /registry/servers) lists all registered servers.';
    end if;
    raise exception 'servers has % names, not 1 to 1000', coalesce(cardinality(p_servers), 0)
        using errcode = 'SV422', constraint = 'servers_listed', column = 'servers',
        hint = 'Send the names of the servers as an array: {"servers": ["io.github.acme/search"]}.';
end
$$;
comment on function internal.find_maintained(text[]) is
'The servers of a maintenance window, all registered now.
Errors: servers_listed, server_unknown.';
