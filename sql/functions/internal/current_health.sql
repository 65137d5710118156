create or replace function internal.current_health(p_now timestamptz, p_servers bigint[])
returns table (server_id bigint, status text, since timestamptz)
language plpgsql stable
as $$
declare
    v_servers bigint [];
    v_statuses text [];
    v_older bigint [];
    v_older_statuses text [];
    v_from timestamptz;
begin
    select array_agg(overall.server_id), array_agg(overall.status)
    into v_servers, v_statuses
    from internal.overall_status(p_now, p_servers) as overall;
    -- Most statuses began a short time ago; only the others need more of the history.
    foreach v_from in array array[
        p_now - interval '1 day', p_now - interval '32 days', timestamptz '-infinity'
    ] loop
        v_older := '{}';
        v_older_statuses := '{}';
        for server_id, status, since in
            select * from internal.health_since(v_servers, v_statuses, v_from, p_now)
        loop
            if since is null then
                v_older := v_older || server_id;
                v_older_statuses := v_older_statuses || status;
            else
                return next;
            end if;
        end loop;
        v_servers := v_older;
        v_statuses := v_older_statuses;
    end loop;
end
$$;
comment on function internal.current_health(timestamptz, bigint[]) is
'The overall status of servers, of all for null, and since when each has it. See
internal.overall_status.';
