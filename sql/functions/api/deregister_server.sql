create or replace function api.deregister_server(p_name text, p_owner text, p_now timestamptz)
returns json
language plpgsql
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
as $$
declare
    v_server data.server;
begin
    select * into v_server
    from data.server
    where server_id = internal.find_server(p_name)
    for update;
    perform internal.own_server(v_server, p_owner);
    if v_server.deregistered_at is null then
        v_server.deregistered_at := coalesce(
            internal.end_version(v_server.server_id, p_now), p_now
        );
        update data.server
        set deregistered_at = v_server.deregistered_at, updated_at = v_server.deregistered_at
        where server_id = v_server.server_id;
    end if;
    return json_build_object('name', v_server.name, 'deregistered_at', v_server.deregistered_at);
end
$$;
comment on function api.deregister_server(text, text, timestamptz) is
'Ends the registration of a server; its versions, health and facts stay, and register_server
continues them: {name, deregistered_at}. Of a server that is not registered any more, the answer is the
same as before. p_owner is its owner, where it has one.
Errors: server_unknown, server_owned.';
