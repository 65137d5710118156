create or replace function internal.outages(
    p_servers bigint[], p_from timestamptz, p_now timestamptz
)
returns table (server_id bigint, during tstzrange, reasons text[])
language sql stable
security definer
set search_path = pg_catalog, public, pg_temp
begin atomic
    select
        ranges.server_id,
        outage.during,
        array(
            select said.signal || coalesce(': ' || said.reason, '')
            from (
                select
                    past.signal,
                    past.reason,
                    lower(past.during) as since
                from data.health_interval as past
                where
                    past.server_id = ranges.server_id
                    and past.status = 'down'
                    and past.during && outage.during
                union all
                select
                    present.signal,
                    present.reason,
                    present.since
                from data.health_state as present
                where
                    present.server_id = ranges.server_id
                    and present.status = 'down'
                    and present.since < upper(outage.during)
                    and present.expires_at > lower(outage.during)
            ) as said
            group by said.signal, said.reason
            order by min(said.since), said.signal, said.reason
        )
    from
        internal.status_ranges(p_servers, p_from, p_now, p_now) as ranges
    cross join lateral unnest(ranges.down) as outage (during);
end;
comment on function internal.outages(bigint[], timestamptz, timestamptz) is
'Unbroken times in which servers were down outside of maintenance, since p_from, each with
the signals that said so and their details.';
