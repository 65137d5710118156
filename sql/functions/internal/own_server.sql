create or replace function internal.own_server(p_server data.server, p_owner text) returns void
language plpgsql stable
as $$
begin
    if p_server.owner <> coalesce(p_owner, '') then
        raise exception 'server "%" belongs to another owner', p_server.name
            using errcode = 'SV409', constraint = 'server_owned', column = 'owner',
            hint = 'Send its owner as owner, or choose another name; get_server'
            ' (GET /registry/servers/{name}) says who the owner is.';
    end if;
end
$$;
comment on function internal.own_server(data.server, text) is
'Refuses a change of a server by another one than its owner.
Errors: server_owned.';
