create or replace function internal.own_server(p_server data.server, p_owner text) returns void
language plpgsql stable
as $$
begin
    -- Also of a server without one: what no entry can have was not meant.
    if not internal.fits(p_owner, 'owner') then
        raise exception 'owner is not 1 to 200 characters on one line'
            using errcode = 'SV422', constraint = 'owner_well_formed', column = 'owner',
            hint = 'Send the owner of the server as get_server (GET /registry/servers/{name}) has it.';
    end if;
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
Errors: owner_well_formed, server_owned.';
