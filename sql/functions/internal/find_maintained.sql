create or replace function internal.find_maintained(p_servers text[]) returns bigint[]
language plpgsql stable
as $$
begin
    if cardinality(p_servers) between 1 and 1000 then
        return array(
            select distinct internal.find_server(name)
            from unnest(p_servers) as name
        );
    end if;
    raise exception 'servers has % names, not 1 to 1000', coalesce(cardinality(p_servers), 0)
        using errcode = 'SV422', constraint = 'servers_listed', column = 'servers',
        hint = 'Send the names of the servers as an array: {"servers": ["io.github.acme/search"]}.';
end
$$;
comment on function internal.find_maintained(text[]) is 'The servers of a maintenance window.
Errors: servers_listed, server_unknown.';
