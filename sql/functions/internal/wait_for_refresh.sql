create or replace function internal.wait_for_refresh() returns void
language plpgsql
as $$
declare
    v_limit constant text := current_setting('lock_timeout');
begin
    perform set_config('lock_timeout', case v_limit when '0' then '10s' else v_limit end, true);
    -- That of internal.refresh_buckets, which holds it for a week of samples at most.
    perform pg_advisory_xact_lock(hashtextextended('supervisor-mcp refresh', 0));
    perform set_config('lock_timeout', v_limit, true);
exception
    when lock_not_available then
        raise exception 'a refresh of the rollups is under way'
            using errcode = 'SV503', constraint = 'refresh_ended',
            hint = 'Send the request again after the seconds in Retry-After.';
end
$$;
comment on function internal.wait_for_refresh() is
'Waits until no refresh is under way, for 10 seconds, or for lock_timeout where it is set, and keeps others
from beginning until the transaction ends.
Errors: refresh_ended.';
