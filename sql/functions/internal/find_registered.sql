create or replace function internal.find_registered(p_name text) returns bigint
language plpgsql stable
as $$
declare
    v_server constant bigint := internal.find_server(p_name);
begin
    if (select deregistered_at is not null from data.server where server_id = v_server) then
        raise exception 'server "%" is not registered any more', p_name
            using errcode = 'SV404', constraint = 'server_unknown', column = 'name',
            hint = 'Register it again with register_server (PUT /registry/servers/{name}).';
    end if;
    return v_server;
end
$$;
comment on function internal.find_registered(text) is
'The server of this name, which is registered now.
Errors: server_unknown.';
