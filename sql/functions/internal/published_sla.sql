create or replace function internal.published_sla(p_servers bigint[], p_now timestamptz)
returns table (server_id bigint, figures json)
language sql stable
begin atomic
    select
        sla.server_id,
        json_object_agg(
            part."window",
            json_build_object(
                'uptime_percent', sla.uptime_percent,
                'coverage_percent', sla.coverage_percent,
                'seconds', internal.seconds_json(
                    sla.up, sla.degraded, sla.down, sla.unknown, sla.maintenance
                )
            ) order by part.hours
        )
    from (values ('7d', 168), ('30d', 720), ('90d', 2160)) as part ("window", hours)
    cross join
        lateral internal.measure_sla(
            p_servers, p_now - part.hours * interval '1 hour', p_now, p_now
        ) as sla
    group by sla.server_id;
end;
comment on function internal.published_sla(bigint[], timestamptz) is
'SLA of 7d, 30d and 90d up to p_now of each server: {uptime_percent, coverage_percent, seconds} by
window.';
