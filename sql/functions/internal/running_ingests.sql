create or replace function internal.running_ingests() returns text[]
language sql stable
begin atomic
    -- Each has this lock from its insert until it commits. Waiting for a lock would make new ones wait too.
    select coalesce(array_agg(virtualtransaction), '{}')
    from pg_catalog.pg_locks
    inner join pg_catalog.pg_database on pg_locks.database = pg_database.oid
    where
        pg_database.datname = current_database()
        and relation = 'data.sample'::regclass
        and mode = 'RowExclusiveLock'
        and granted;
end;
comment on function internal.running_ingests() is
'The transactions that are storing, changing or deleting samples.';
