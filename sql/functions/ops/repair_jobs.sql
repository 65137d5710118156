create or replace function ops.repair_jobs()
returns table (relation text, policy text, started_at timestamptz)
language sql
security definer
set search_path = pg_catalog, public, pg_temp
begin atomic
    select
        repaired.relation,
        repaired.policy,
        repaired.started_at
    from internal.repair_jobs(null, now()) as repaired;
end;
comment on function ops.repair_jobs() is
'Makes jobs run again that a crash of the server or a failover has cut off, as the service does at most
once an hour.
Returns them, and when the run that was cut off began. A job gets another number.';
