create or replace view analytics.server_versions
with (security_barrier) as
select
    server.namespace,
    server.name,
    server.source,
    version.version,
    version.valid,
    lower(version.valid) as valid_from,
    upper(version.valid) as valid_to,
    jsonb_array_length(version.capabilities -> 'tools')::integer as tools,
    version.document,
    version.capabilities
from data.server_version as version
inner join data.every_server as server on version.server_id = server.server_id
where coalesce(server.namespace = any((select internal.shown_namespaces())::text[]), true);
comment on view analytics.server_versions is
'Every version that a server had. `valid @> <time>` selects the one of a time.';
comment on column analytics.server_versions.namespace is 'Namespace; empty for the default one.';
comment on column analytics.server_versions.name is 'Name of the server.';
comment on column analytics.server_versions.source is 'Name under which it sends metrics and facts.';
comment on column analytics.server_versions.version is 'Version.';
comment on column analytics.server_versions.valid is 'When it was registered.';
comment on column analytics.server_versions.valid_from is 'Beginning of that time.';
comment on column analytics.server_versions.valid_to is 'End of that time; null for the present version.';
comment on column analytics.server_versions.tools is 'Number of its tools.';
comment on column analytics.server_versions.document is 'Its server.json.';
comment on column analytics.server_versions.capabilities is 'Its tools, resources and prompts.';
