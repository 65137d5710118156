create or replace function internal.find_server(p_name text, p_field text default 'name') returns bigint
language plpgsql stable
as $$
declare
    v_server constant bigint := (select server_id from data.server where name = p_name);
    v_nearest text;
begin
    if v_server is null then
        v_nearest := internal.nearest_server(p_name);
        raise exception 'unknown server "%"', left(p_name, 200)
            using errcode = 'SV404', constraint = 'server_unknown', column = p_field,
            detail = jsonb_strip_nulls(jsonb_build_object('nearest', v_nearest)),
            hint = internal.suggestion(v_nearest)
            || 'list_servers (GET /registry/servers) lists all servers.';
    end if;
    return v_server;
end
$$;
comment on function internal.find_server(text, text) is
'The server of this name, registered now or before; p_field is the argument that has it. The error
names the nearest registered server.
Errors: server_unknown.';
