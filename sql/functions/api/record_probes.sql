create or replace function api.record_probes(
    p_probes jsonb,
    p_now timestamptz,
    out reports integer,
    out kinds text[],
    out change bigint
)
language plpgsql
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
as $$
declare
    v_reports data.health_report [];
    v_facts jsonb;
begin
    change := pg_current_xact_id()::text::bigint;
    with sent as (
        select
            server.server_id,
            server.name,
            probe.asked_at,
            probe.status,
            probe.latency_ms,
            left(probe.detail, 500) as detail,
            case jsonb_typeof(probe.tools) when 'array' then internal.tool_digests(probe.tools) end as tools,
            known.tools as known,
            internal.unasked_remotes(version.document) as unasked,
            nullif(internal.tool_digests(version.capabilities -> 'tools'), '{}') as registered
        from
            jsonb_to_recordset(p_probes) as probe (
                server text, asked_at timestamptz, status text, latency_ms double precision,
                detail text, tools jsonb
            )
        inner join data.server on server.name = probe.server and server.deregistered_at is null
        left join data.server_version as version
            on version.server_id = server.server_id and upper_inf(version.valid)
        left join data.probe as known on known.server_id = server.server_id
    ),
    compared as (
        select
            *,
            internal.probe_changes(registered, coalesce(tools, known)) as unlike_registered,
            internal.probe_changes(coalesce(known, registered), tools) as changes
        from sent
    ),
    noted as (
        insert into data.probe (server_id, asked_at, detail, tools)
        select distinct on (server_id)
            server_id, asked_at, concat_ws('; ', detail, unasked), coalesce(tools, known)
        from sent
        order by server_id, asked_at desc
        on conflict (server_id) do update
            set asked_at = excluded.asked_at, detail = excluded.detail, tools = excluded.tools
            where data.probe.asked_at <= excluded.asked_at
    )
    select
        array_agg(
            row(
                server_id, 'probe', asked_at, status, null, latency_ms,
                concat_ws(
                    '; ',
                    detail,
                    case when status <> 'down' then internal.tool_differences(unlike_registered) end,
                    unasked
                ),
                p_now
            )::data.health_report
            order by asked_at
        ) filter (where status is not null),
        jsonb_agg(
            jsonb_build_object(
                'kind', 'Fact:ToolsChanged',
                'source', 'supervisor',
                'fact_id', format('probe/%s/%s', server_id, extract(epoch from asked_at)),
                'subject', name,
                'ts', asked_at,
                'payload', changes || '{"seen_by": "prober"}'
            )
        ) filter (where jsonb_path_exists(changes, '$.*[*]'))
    into v_reports, v_facts
    from compared;

    if v_reports is not null then
        perform internal.record_health(v_reports, p_now);
    end if;
    if v_facts is not null then
        kinds := (internal.register_and_store_facts(v_facts, true, p_now)).kinds;
    end if;
    reports := coalesce(cardinality(v_reports), 0);
end
$$;
comment on function api.record_probes(jsonb, timestamptz) is
'Stores what probes have found, as reports of the signal probe: [{server, asked_at, status, latency_ms,
detail, tools}, ...]. status is up, degraded or down; null where the probe says nothing about the server,
which then becomes unknown in time. tools is what the server lists, [{name, inputSchema}, ...]; null where
that is what it listed before. Where it differs from what was registered, the detail says so; where it
differs from what the server listed before, Fact:ToolsChanged does. reports: how many reports were stored.
kinds and change are as in ingest_facts.';
