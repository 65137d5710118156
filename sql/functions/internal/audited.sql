create or replace function internal.audited(
    p_table text,
    p_row jsonb,
    out object_type text,
    out object_name text,
    out namespace text,
    out members jsonb,
    out hidden text[],
    out identity jsonb
)
language plpgsql stable
as $$
declare
    v_columns text [] := '{}';
begin
    object_type := p_table;
    object_name := p_row ->> 'name';
    namespace := p_row ->> 'namespace';
    members := '{}';
    hidden := '{}';
    identity := '{}';
    case p_table
        when 'server' then
            v_columns := '{owner,status,tier,tags,source,keepalive_seconds,failures_to_down,
                successes_to_recover,sla_target,probe,deregistered_at}';
        when 'server_version' then
            object_type := 'server';
            select
                server.name, server.namespace
            into object_name, namespace
            from data.every_server as server
            where server.server_id = (p_row ->> 'server_id')::bigint;
            members := p_row -> 'document';
            -- They are long, and data.server_version keeps them.
            hidden := '{capabilities}';
        when 'alert_rule' then
            v_columns := '{deleted_at,deleted_by}';
        when 'alert_rule_version' then
            object_type := 'alert_rule';
            select
                rule.name, rule.namespace
            into object_name, namespace
            from data.every_alert_rule as rule
            where rule.rule_id = (p_row ->> 'rule_id')::bigint;
            members := p_row -> 'document' || jsonb_build_object('author', p_row -> 'author');
        when 'kpi' then
            v_columns := '{deleted_at,deleted_by}';
        when 'kpi_version' then
            object_type := 'kpi';
            select
                kpi.name, kpi.namespace
            into object_name, namespace
            from data.every_kpi as kpi
            where kpi.kpi_id = (p_row ->> 'kpi_id')::bigint;
            members := p_row -> 'document' || jsonb_build_object('author', p_row -> 'author');
        when 'silence' then
            object_name := p_row ->> 'silence_id';
            v_columns := '{matchers,during,author,comment,cancelled_at}';
        when 'maintenance' then
            object_name := p_row ->> 'maintenance_id';
            v_columns := '{during,author,reason,cancelled_by,cancelled_reason}';
            members := jsonb_build_object('cancelled', case
                when not upper_inf((p_row ->> 'recorded')::tstzrange) and not exists (
                    select from data.every_maintenance as planned
                    where
                        planned.namespace = p_row ->> 'namespace'
                        and planned.maintenance_id = p_row ->> 'maintenance_id'
                        and upper_inf(planned.recorded)
                ) then true
            end);
            identity := (
                select jsonb_build_object('server', name)
                from data.every_server
                where server_id = (p_row ->> 'server_id')::bigint
            );
        when 'pin' then
            object_name := p_row ->> 'pin_id';
            v_columns := '{source,during,reason,author}';
        when 'subscription' then
            v_columns := '{type,host,author,alerts,facts,enabled}';
            -- Many a webhook has its secret in the path of its URL.
            hidden := '{url,secret}';
        when 'api_key' then
            object_name := p_row ->> 'key_id';
            v_columns := '{owner,scopes,sources,namespace,created_by,expires_at,revoked_at,revoked_by,reason,
                rotated_from}';
            hidden := '{digest}';
        when 'snapshot' then
            v_columns := '{window_name,begins_at,ends_at,kinds,sha256,author}';
        when 'quota' then
            v_columns := '{value}';
    end case;
    namespace := coalesce(namespace, '');
    members := members || (
        select coalesce(jsonb_object_agg(key, value), '{}')
        from jsonb_each(p_row)
        where key = any(v_columns || hidden)
    );
end
$$;
comment on function internal.audited(text, jsonb) is
'What the audit calls a row of a table, and the members of it that are recorded: object_type and
object_name, and the namespace of the object; members by their names; hidden: those of them whose values
are not recorded; identity: what says which row of the object it is.';
