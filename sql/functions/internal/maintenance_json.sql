create or replace function internal.maintenance_json(p_id text, p_now timestamptz) returns json
language sql stable
begin atomic
    -- The rows of a window that were current last: of a cancelled one, those that the cancelling ended.
    with newest as (
        select
            *,
            coalesce(upper(recorded), 'infinity') as current_until,
            max(coalesce(upper(recorded), 'infinity')) over () as newest_until
        from data.maintenance
        where maintenance_id = p_id
    )

    select
        json_build_object(
            'id', p_id,
            'status', case
                when newest.current_until < 'infinity' then 'cancelled'
                when p_now < lower(newest.during) then 'planned'
                when p_now < upper(newest.during) then 'active'
                else 'past'
            end,
            'servers', json_agg(server.name order by server.name),
            'from', lower(newest.during),
            'to', upper(newest.during),
            'author', newest.author,
            'reason', newest.reason
        )
    from newest
    inner join data.server on newest.server_id = server.server_id
    where newest.current_until = newest.newest_until
    group by newest.during, newest.author, newest.reason, newest.current_until;
end;
comment on function internal.maintenance_json(text, timestamptz) is
'A maintenance window as it is or, when it was cancelled, as it was last: {id, status, servers, from, to,
author, reason}. status is planned, active, past or cancelled.';
