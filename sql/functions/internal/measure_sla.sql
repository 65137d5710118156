create or replace function internal.measure_sla(
    p_servers bigint[],
    p_from timestamptz,
    p_to timestamptz,
    p_as_of timestamptz
)
returns table (
    server_id bigint,
    name text,
    begins_at timestamptz,
    ends_at timestamptz,
    up numeric,
    degraded numeric,
    down numeric,
    unknown numeric,
    maintenance numeric,
    uptime_percent double precision,
    coverage_percent double precision,
    outages bigint,
    longest_outage numeric,
    mean_time_to_recover numeric,
    target_percent double precision,
    budget numeric,
    budget_left numeric,
    budget_left_percent double precision
)
language sql stable
security definer
set search_path = pg_catalog, public, pg_temp
begin atomic
    with status as materialized (
        select *
        from internal.known_ranges(p_servers, p_from, p_to, p_as_of)
    ),

    length as materialized (
        select
            status.server_id,
            status.during,
            internal.range_seconds(status.known) as known,
            internal.range_seconds(status.impaired) as impaired,
            internal.range_seconds(status.maintenance) as maintenance,
            extract(epoch from upper(status.during) - lower(status.during)) as seconds,
            outage.*
        from status
        cross join lateral ( -- noqa: ST05
            select
                coalesce(extract(epoch from sum(part.length)), 0) as down,
                count(*) as outages,
                extract(epoch from max(part.length)) as longest,
                extract(epoch from sum(part.length) filter (where part.recovered))
                / nullif(count(*) filter (where part.recovered), 0) as mean_time_to_recover
            from (
                select
                    upper(part) - lower(part) as length,
                    -- What became unknown, or fell into maintenance, is not known to have recovered.
                    status.known @> upper(part) as recovered
                from unnest(status.down) as part
                -- Keeps it from being computed for each use.
                offset 0 -- noqa: AM09
            ) as part
        ) as outage
    ),

    budget as materialized (
        select
            length.*,
            length.known - length.impaired as up,
            length.impaired - length.down as degraded,
            server.name,
            server.sla_target,
            round(
                length.known * (100 - server.sla_target::numeric) / 100, 6
            ) as budget
        from length
        inner join data.every_server as server on length.server_id = server.server_id
    )

    select
        budget.server_id,
        budget.name,
        lower(budget.during),
        upper(budget.during),
        trim_scale(budget.up),
        trim_scale(budget.degraded),
        trim_scale(budget.down),
        trim_scale(budget.seconds - budget.known - budget.maintenance),
        budget.maintenance,
        internal.percentage(budget.up + budget.degraded, budget.known),
        internal.percentage(budget.known, budget.seconds - budget.maintenance),
        budget.outages,
        trim_scale(budget.longest),
        trim_scale(round(budget.mean_time_to_recover, 6)),
        budget.sla_target,
        trim_scale(budget.budget),
        trim_scale(budget.budget - budget.down),
        internal.percentage(budget.budget - budget.down, budget.budget)
    from budget;
end;
comment on function internal.measure_sla(bigint[], timestamptz, timestamptz, timestamptz) is
'The SLA of each server in the part of [p_from, p_to) in which it was registered, in seconds and per
cent, by the maintenance that was known at p_as_of. Percentages of nothing are null.';
