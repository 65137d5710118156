create or replace function api.register_server(
    p_name text,
    p_document jsonb,
    p_now timestamptz,
    out answer json,
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
    -- What belongs to the registry, and not to server.json.
    c_own constant text [] := '{status,owner,tier,tags,source,keepalive_seconds,failures_to_down,
        successes_to_recover,sla_target,probe,capabilities}';
    v_document constant jsonb := case jsonb_typeof(p_document)
        when 'object' then jsonb_build_object('name', p_name) || p_document
        else p_document
    end;
    v_faults constant jsonb := internal.server_faults(p_name, v_document);
    v_before data.server;
    v_after data.server;
    v_created boolean;
    v_change record;
begin
    change := pg_current_xact_id()::text::bigint;
    if v_faults is not null then
        perform internal.refuse_document(v_faults);
    end if;

    insert into data.server (
        name, status, tags, keepalive_seconds, failures_to_down, successes_to_recover, sla_target, probe,
        registered_at, updated_at
    )
    select p_name, 'active', '{}', 60, 3, 2, 99.9, true, p_now, p_now
    -- `on conflict` alone would use up a number for every registration.
    where not exists (select from data.server where name = p_name)
    on conflict (namespace, name) do nothing;
    v_created := found;
    select * into v_before
    from data.server
    where name = p_name
    for no key update;
    perform internal.own_server(v_before, v_document ->> 'owner');
    if not v_created then
        perform internal.own_source(p_name, v_before.source);
    end if;

    -- What is left out keeps its value.
    v_after := jsonb_populate_record(
        v_before,
        (
            select
                coalesce(
                    jsonb_object_agg(
                        key,
                        -- 30.0 is an integer in JSON, and not in SQL.
                        case jsonb_typeof(value) when 'number' then to_jsonb(trim_scale(value::numeric)) else value end
                    ),
                    '{}'
                )
            from jsonb_each(v_document)
            where key = any(c_own)
        )
    );
    v_after.tags := array(select distinct tag from unnest(v_after.tags) as tag order by tag);
    v_after.deregistered_at := null;
    perform internal.own_source(p_name, v_after.source);

    v_change := internal.store_version(v_before.server_id, v_document, v_document - c_own, p_now);
    if v_after is distinct from v_before or v_change.since is not null then
        v_after.updated_at := coalesce(v_change.since, greatest(p_now, v_before.updated_at));
        update data.server
        set
            owner = v_after.owner,
            status = v_after.status,
            tier = v_after.tier,
            tags = v_after.tags,
            source = v_after.source,
            keepalive_seconds = v_after.keepalive_seconds,
            failures_to_down = v_after.failures_to_down,
            successes_to_recover = v_after.successes_to_recover,
            sla_target = v_after.sla_target,
            probe = v_after.probe,
            updated_at = v_after.updated_at,
            deregistered_at = null
        where server_id = v_after.server_id;
    end if;
    kinds := v_change.kinds;

    answer := json_build_object(
        'name', v_after.name,
        'local', v_after.local,
        'outcome', case
            when v_created then 'created'
            when v_before.deregistered_at is not null then 'restored'
            when v_after is distinct from v_before then 'changed'
            else 'unchanged'
        end,
        'version', v_document ->> 'version',
        'previous_version', v_change.previous_version,
        'tools', v_change.tools,
        'registered_at', v_after.registered_at,
        'updated_at', v_after.updated_at
    );
end
$$;
comment on function api.register_server(text, jsonb, timestamptz) is
'Registers a server, or changes its entry. p_document is its server.json (schema 2025-12-11) with any of
status, owner, tier, tags, source, keepalive_seconds, failures_to_down, successes_to_recover, sla_target,
probe and capabilities {tools, resources, prompts}; of these, what is left out keeps its value. Another
version, document or list of capabilities begins a new version; the facts Fact:ServerVersionChanged and
Fact:ToolsChanged say what has changed. answer: {name, local, outcome, version, previous_version, tools:
{added, removed, changed}, registered_at, updated_at}; outcome is created, changed, unchanged, or
restored for a server that was deregistered. kinds and change are as in ingest_facts.
Errors: document_refused, server_owned, source_of_key, count_within_quota, series_within_quota.';
