-- Servers of the registry, and their versions.

create table data.every_server (
    server_id bigint generated always as identity,
    name text not null,
    local boolean not null generated always as (strpos(name, '/') = 0) stored,
    owner text,
    status text not null,
    tier text,
    tags text[] not null,
    source text,
    keepalive_seconds integer not null,
    failures_to_down smallint not null,
    successes_to_recover smallint not null,
    sla_target double precision not null,
    probe boolean not null,
    registered_at timestamptz not null,
    updated_at timestamptz not null,
    deregistered_at timestamptz,
    namespace text not null default internal.namespace(),
    constraint namespace_well_formed check (internal.fits(namespace, 'namespace')),
    constraint server_pkey primary key (server_id),
    constraint server_name_taken unique (namespace, name),
    constraint server_name_well_formed check (internal.fits(name, 'server_name')),
    constraint owner_well_formed check (internal.fits(owner, 'owner')),
    constraint server_status_known check (status in ('active', 'deprecated', 'deleted')),
    constraint tier_well_formed check (internal.fits(tier, 'tag')),
    constraint tags_within_limit check (cardinality(tags) <= 32),
    constraint source_name_well_formed check (internal.fits(source, 'source_name')),
    constraint keepalive_in_range check (keepalive_seconds between 1 and 86400),
    constraint failures_to_down_in_range check (failures_to_down between 1 and 20),
    constraint successes_to_recover_in_range check (successes_to_recover between 1 and 20),
    constraint sla_target_in_range check (sla_target > 0 and sla_target < 100)
);
create index server_by_source on data.every_server (source);
create index server_by_tag on data.every_server using gin (tags);
comment on table data.every_server is 'A registered MCP server. Its number is never used for another one.';
comment on column data.every_server.server_id is 'Number of the server.';
comment on column data.every_server.name is
'Name as in the official MCP registry, such as io.github.acme/search, or a plain one.';
comment on column data.every_server.local is 'Whether the name is a plain one, without a namespace.';
comment on column data.every_server.owner is 'Who may change the entry; null for anyone.';
comment on column data.every_server.status is
'active, deprecated or deleted, as in the official MCP registry.';
comment on column data.every_server.tier is 'Importance, in the words of the owner.';
comment on column data.every_server.tags is 'Words to find the server by.';
comment on column data.every_server.source is 'Name under which the server sends metrics and facts.';
comment on column data.every_server.keepalive_seconds is
'Seconds between two keep-alives, probes or reports. What is silent for three times as long is unknown.';
comment on column data.every_server.failures_to_down is 'Reports in a row that make the status worse.';
comment on column data.every_server.successes_to_recover is 'Reports in a row that make the status better.';
comment on column data.every_server.sla_target is 'Uptime that is promised, in per cent.';
comment on column data.every_server.probe is 'Whether the service asks the remotes of the server.';
comment on column data.every_server.registered_at is 'When the server was registered first.';
comment on column data.every_server.updated_at is 'When the entry was changed last.';
comment on column data.every_server.deregistered_at is
'When it was deregistered; null while it is registered.';
comment on column data.every_server.namespace is 'Namespace; empty for the default one.';

create view data.server with (check_option = cascaded) as
select
    server_id,
    name,
    local,
    owner,
    status,
    tier,
    tags,
    source,
    keepalive_seconds,
    failures_to_down,
    successes_to_recover,
    sla_target,
    probe,
    registered_at,
    updated_at,
    deregistered_at,
    namespace
from data.every_server
where namespace = coalesce(current_setting('supervisor.namespace', true), '');
comment on view data.server is 'The servers of the namespace that the transaction works in.';

create table data.server_version (
    server_version_id bigint generated always as identity,
    server_id bigint not null,
    version text not null,
    document jsonb not null,
    capabilities jsonb not null,
    valid tstzrange not null,
    constraint server_version_pkey primary key (server_version_id),
    constraint server_version_of_server foreign key (server_id) references data.every_server,
    constraint server_version_once exclude using gist (server_id with =, valid with &&),
    constraint server_version_valid check (
        not isempty(valid) and lower_inc(valid) and not upper_inc(valid)
    )
);
create unique index server_version_present on data.server_version (server_id) where upper_inf(valid);
comment on table data.server_version is 'What a server was registered as, and from when until when.';
comment on column data.server_version.server_version_id is 'Number of the version.';
comment on column data.server_version.server_id is 'Server.';
comment on column data.server_version.version is 'Version that the server has.';
comment on column data.server_version.document is 'Its server.json, schema 2025-12-11.';
comment on column data.server_version.capabilities is
'Its tools, resources and prompts: {tools, resources, prompts}.';
comment on column data.server_version.valid is 'From its registration until that of the next version.';

insert into data.quota (name, value, used) values
('servers', 10000, null),
('new_versions_per_server_and_hour', 100, null);
