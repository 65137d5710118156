create or replace function internal.hold_registrations(p_servers bigint[]) returns setof bigint
language sql
begin atomic
    select server_id
    from data.every_server
    where server_id = any(p_servers) and deregistered_at is null
    order by server_id
    for share;
end;
comment on function internal.hold_registrations(bigint[]) is
'Those of the servers that are registered. None of their registrations ends before this transaction does.';
