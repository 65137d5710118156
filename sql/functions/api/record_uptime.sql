create or replace function api.record_uptime(p_now timestamptz) returns void
language plpgsql
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
as $$
begin
    -- Several processes run the service; one of them a second is enough.
    if exists (
        select from data.service_uptime
        where lower(during) <= p_now and upper(during) > p_now - interval '1 second'
    ) then
        return;
    end if;
    -- Not two of them at a time, or both would begin a range.
    perform pg_advisory_xact_lock(hashtext('data.service_uptime'));
    update data.service_uptime
    set during = tstzrange(lower(during), greatest(upper(during), p_now))
    where upper(during) = (select max(upper(newest.during)) from data.service_uptime as newest)
        and upper(during) >= p_now - interval '30 seconds';
    if not found then
        insert into data.service_uptime (during)
        values (tstzrange(p_now, p_now + interval '1 microsecond'));
    end if;
end
$$;
comment on function api.record_uptime(timestamptz) is
'Notes that the service runs at this time. It was running since the last time that it said so, unless
that is more than 30 seconds ago.';
