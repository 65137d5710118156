create or replace function api.record_uptime(p_process uuid, p_now timestamptz) returns void
language plpgsql
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
as $$
begin
    update data.service_uptime
    set during = tstzrange(lower(during), greatest(upper(during), p_now))
    where process = p_process and upper(during) >= p_now - interval '30 seconds';
    if not found then
        insert into data.service_uptime (during, process)
        values (tstzrange(p_now, p_now + interval '1 microsecond'), p_process);
    end if;
end
$$;
comment on function api.record_uptime(uuid, timestamptz) is
'Notes that a process of the service runs at this time. It was running since the last time that it said
so, unless that is more than 30 seconds ago. The time between the last word of one process and the first
of the next is none of its uptime, however short.';
