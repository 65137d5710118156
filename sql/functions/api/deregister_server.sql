create or replace function api.deregister_server(p_name text, p_owner text, p_now timestamptz)
returns json
language plpgsql
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
as $$
declare
    v_id constant bigint := internal.find_server(p_name);
    v_server data.server;
begin
    select * into v_server
    from data.server
    where server_id = v_id
    -- Not for update: a keep-alive that is being stored refers to the server and holds its state.
    for no key update;
    perform internal.own_server(v_server, p_owner);
    perform internal.own_source(v_server.name, v_server.source);
    if v_server.deregistered_at is null then
        v_server.deregistered_at := coalesce(
            internal.end_version(v_server.server_id, p_now), p_now
        );
        update data.server
        set deregistered_at = v_server.deregistered_at, updated_at = v_server.deregistered_at
        where server_id = v_server.server_id;
        perform internal.end_health(v_server.server_id, v_server.deregistered_at);
    end if;
    return json_build_object('name', v_server.name, 'deregistered_at', v_server.deregistered_at);
end
$$;
comment on function api.deregister_server(text, text, timestamptz) is
'Ends the registration of a server; its versions, health and facts stay, and register_server
continues them: {name, deregistered_at}. The status of every signal ends; a new registration begins
without any. Of a server that is not registered any more, the answer is the
same as before. p_owner is its owner, where it has one.
Errors: server_unknown, owner_well_formed, server_owned, source_of_key.';
