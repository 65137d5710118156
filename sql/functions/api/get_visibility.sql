create or replace function api.get_visibility() returns pg_snapshot
language sql stable
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
begin atomic
    select case
        -- On a standby, PostgreSQL leaves out which transactions of the range still run.
        when pg_is_in_recovery()
            then format('%1$s:%1$s:', pg_snapshot_xmin(pg_current_snapshot()))::pg_snapshot
        else pg_current_snapshot()
    end;
end;
comment on function api.get_visibility() is
'The transactions that the calling statement sees; on a standby, perhaps without the newest of them.';
