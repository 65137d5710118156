create or replace view analytics.mcp_registry
with (security_barrier) as
select
    server.namespace,
    server.name,
    server.local,
    version.document ->> 'title' as title,
    version.document ->> 'description' as description,
    version.version,
    lower(version.valid) as version_since,
    case when server.deregistered_at is null then server.status else 'deregistered' end as status,
    server.owner,
    server.tier,
    server.tags,
    server.source,
    jsonb_array_length(version.capabilities -> 'tools')::integer as tools,
    server.sla_target,
    version.document,
    version.capabilities,
    server.registered_at,
    server.updated_at,
    server.deregistered_at
from data.every_server as server
left join lateral (
    select *
    from data.server_version
    where server_version.server_id = server.server_id
    order by server_version.valid desc
    limit 1
) as version on true
where coalesce(server.namespace = any((select internal.shown_namespaces())::text[]), true);
comment on view analytics.mcp_registry is
'Servers with their newest version, deregistered ones too.';
comment on column analytics.mcp_registry.namespace is 'Namespace; empty for the default one.';
comment on column analytics.mcp_registry.name is 'Name, such as io.github.acme/search.';
comment on column analytics.mcp_registry.local is 'Whether the name has no namespace.';
comment on column analytics.mcp_registry.title is 'Name for people.';
comment on column analytics.mcp_registry.description is 'What the server does.';
comment on column analytics.mcp_registry.version is 'Newest version.';
comment on column analytics.mcp_registry.version_since is 'Since when it is registered.';
comment on column analytics.mcp_registry.status is 'active, deprecated, deleted or deregistered.';
comment on column analytics.mcp_registry.owner is 'Who may change the entry; null for anyone.';
comment on column analytics.mcp_registry.tier is 'Importance, in the words of the owner.';
comment on column analytics.mcp_registry.tags is 'Words to find the server by.';
comment on column analytics.mcp_registry.source is 'Name under which it sends metrics and facts.';
comment on column analytics.mcp_registry.tools is 'Number of its tools.';
comment on column analytics.mcp_registry.sla_target is 'Uptime that is promised, in per cent.';
comment on column analytics.mcp_registry.document is 'Its server.json.';
comment on column analytics.mcp_registry.capabilities is 'Its tools, resources and prompts.';
comment on column analytics.mcp_registry.registered_at is 'When it was registered first.';
comment on column analytics.mcp_registry.updated_at is 'When the entry was changed last.';
comment on column analytics.mcp_registry.deregistered_at is
'When it was deregistered; null while it is registered.';
