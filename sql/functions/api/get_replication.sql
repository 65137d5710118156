create or replace function api.get_replication(
    out is_standby boolean,
    out wal_position bigint,
    out age_seconds double precision
)
language sql stable
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
begin atomic
    select
        pg_is_in_recovery(),
        case
            when pg_is_in_recovery() then pg_last_wal_replay_lsn() - '0/0'::pg_lsn
            else pg_current_wal_flush_lsn() - '0/0'::pg_lsn
        end,
        extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp());
end;
comment on function api.get_replication() is
'Whether this server is a standby; wal_position: to where its write-ahead log is on disk, on a standby what
it has replayed; age_seconds: how long ago the primary committed what the standby has replayed last, null on
a primary.';
