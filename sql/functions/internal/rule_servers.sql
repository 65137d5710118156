create or replace function internal.rule_servers(p_condition jsonb) returns bigint[]
language sql stable
begin atomic
    select
        array(
            select server.server_id
            from data.server
            where
                (not p_condition ? 'servers' or p_condition -> 'servers' ? server.name)
                and (not p_condition ? 'tags' or p_condition -> 'tags' ?| server.tags)
        );
end;
comment on function internal.rule_servers(jsonb) is
'The servers that a condition is about: those of its servers, and with one of its tags, or all.';
