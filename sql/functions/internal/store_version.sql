create or replace function internal.store_version(
    p_server bigint,
    p_document jsonb,
    p_server_json jsonb,
    p_now timestamptz,
    out since timestamptz,
    out previous_version text,
    out tools jsonb,
    out kinds text[]
)
language plpgsql
as $$
declare
    v_version constant text := p_document ->> 'version';
    v_last data.server_version;
    v_capabilities jsonb;
    v_id bigint;
    v_facts jsonb;
begin
    select * into v_last
    from data.server_version
    where server_id = p_server
    order by valid desc
    limit 1;
    v_capabilities := '{"tools": [], "resources": [], "prompts": []}'
        || coalesce(v_last.capabilities, '{}')
        || coalesce(p_document -> 'capabilities', '{}');
    tools := internal.tool_changes(v_last.capabilities -> 'tools', v_capabilities -> 'tools');
    if upper_inf(v_last.valid)
        and (v_version, p_server_json, v_capabilities)
        = (v_last.version, v_last.document, v_last.capabilities) then
        return;
    end if;

    perform internal.check_registry_quotas(p_server, p_now);
    since := greatest(
        p_now,
        -- Of two changes at the same instant, or after the clock went back, the second one is later.
        -- A gap, even the shortest, is what sets two registrations apart.
        coalesce(upper(v_last.valid), lower(v_last.valid)) + interval '1 microsecond'
    );
    perform internal.end_version(p_server, since);
    insert into data.server_version (server_id, version, document, capabilities, valid)
    values (p_server, v_version, p_server_json, v_capabilities, tstzrange(since, null))
    returning server_version_id into v_id;

    if v_last.server_id is not null then
        previous_version := v_last.version;
        select
            jsonb_agg(jsonb_build_object(
                'kind', fact.kind,
                'source', 'supervisor',
                'fact_id', 'server_version/' || v_id || '/' || fact.kind,
                'subject', (select name from data.server where server_id = p_server),
                'ts', p_now,
                'payload', fact.payload
            ))
        into v_facts
        from (
            values
            (
                'Fact:ServerVersionChanged',
                v_last.version <> v_version,
                jsonb_build_object('from', v_last.version, 'to', v_version)
            ),
            (
                'Fact:ToolsChanged',
                tools - '{added,removed,changed}'::text [] <> '{}'
                or jsonb_path_exists(tools, '$.*[*]'),
                tools
            )
        ) as fact (kind, happened, payload)
        where fact.happened;
        if v_facts is not null then
            kinds := internal.store_own_facts(v_facts, p_now);
        end if;
    end if;
end
$$;
comment on function internal.store_version(bigint, jsonb, jsonb, timestamptz) is
'Begins a new version of a server, unless nothing about it has changed, and writes the facts about the
change. since: when it begins; null when nothing has changed. previous_version: the one before it.
tools: what has changed in its tools. kinds: the kinds of the facts.';
