create or replace function api.repair_jobs(p_now timestamptz) returns json
language sql
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
begin atomic
    select coalesce(json_agg(repaired order by repaired.policy, repaired.relation), '[]')
    from internal.repair_jobs(interval '1 hour', p_now) as repaired;
end;
comment on function api.repair_jobs(timestamptz) is
'Makes jobs run again that a crash of the server or a failover has cut off, each at most once an hour:
[{relation, policy, started_at}], started_at being the beginning of the run that was cut off. It leaves alone
what runs, what is paused and what no release has shipped.';
