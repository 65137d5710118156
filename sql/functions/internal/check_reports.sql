create or replace function internal.check_reports(p_items jsonb, p_now timestamptz)
returns table (place integer, item jsonb, report data.health_report, good boolean)
language sql stable
begin atomic
    select
        (entry.n - 1)::integer,
        entry.item,
        row(
            entry.server_id, 'report', entry.ts, entry.status, entry.reporter #>> '{}', entry.latency_ms,
            entry.detail #>> '{}', p_now
        )::data.health_report,
        -- The rules of report_faults, which says which one an item breaks.
        coalesce(
            entry.item - '{server,status,ts,latency_ms,detail,reporter}'::text[] = '{}'
            and entry.server_id is not null
            and jsonb_typeof(entry.item -> 'server') = 'string'
            and (
                (select internal.bound_sources()) is null
                or entry.source = any((select internal.bound_sources())::text[])
            )
            and entry.status in ('up', 'degraded', 'down')
            and (entry.latency is null or entry.latency_ms between 0 and 1e9)
            and (
                entry.detail is null
                or jsonb_typeof(entry.detail) = 'string'
                and length(entry.detail #>> '{}') between 1 and 1000
            )
            and (
                entry.reporter is null
                or jsonb_typeof(entry.reporter) = 'string'
                and internal.fits(entry.reporter #>> '{}', 'owner')
            )
            and entry.ts <= p_now + interval '5 minutes'
            -- Only a batch with an older item has to look.
            and (
                entry.ts > p_now - interval '1 hour'
                or entry.ts >= p_now - (select internal.retention('health_report'))
            ),
            false
        )
    from (
        select
            entry.n,
            entry.item,
            server.server_id,
            server.source,
            sent.status,
            nullif(sent.latency_ms, 'null') as latency,
            nullif(sent.detail, 'null') as detail,
            nullif(sent.reporter, 'null') as reporter,
            internal.read_ts(sent.ts, p_now) as ts,
            internal.read_number(sent.latency_ms) as latency_ms
        from jsonb_array_elements(p_items) with ordinality as entry (item, n)
        cross join
            lateral jsonb_to_record(entry.item)
                as sent (
                    server text, status text, ts jsonb, latency_ms jsonb, detail jsonb, reporter jsonb
                )
        left join data.server on sent.server = server.name and server.deregistered_at is null
        -- Computes each of these once, although the query above uses them more than once.
        offset 0 -- noqa: AM09
    ) as entry;
end;
comment on function internal.check_reports(jsonb, timestamptz) is
'Every item with a report of health, as it is stored, and whether it is good.';
