create or replace function api.renew_lease(p_name text, p_holder text, p_seconds double precision)
returns boolean
language sql
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
begin atomic
    select internal.take_lease(p_name, p_holder, p_seconds, now());
end;
comment on function api.renew_lease(text, text, double precision) is
'Takes a lease that is free or expired, or renews that of p_holder, for p_seconds; 0 releases it. Returns
whether p_holder has it. It goes by the clock of the database, because the clocks of the processes that
compete for a lease differ. now() is not later than the answer, so p_holder has the lease at least until
p_seconds after it sent the call.';
