create or replace function internal.unseen_changes(p_seen pg_snapshot) returns bigint[]
language sql immutable parallel safe
begin atomic
    select coalesce(array_agg(unseen.xid::text::bigint), '{}')
    from pg_snapshot_xip(p_seen) as unseen (xid);
end;
comment on function internal.unseen_changes(pg_snapshot) is
'The transactions before the end of a snapshot that it does not see.';
