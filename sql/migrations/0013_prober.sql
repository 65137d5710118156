-- The prober: which process asks the remotes of servers, and what it asked last.

create table data.lease (
    name text not null,
    holder text not null,
    expires_at timestamptz not null,
    constraint lease_pkey primary key (name)
) with (fillfactor = 50);
comment on table data.lease is
'Work that one process at a time may do. A row, not an advisory lock: it works behind a pooler that
gives every transaction another session.';
comment on column data.lease.name is 'Name of the work.';
comment on column data.lease.holder is 'Process that does it.';
comment on column data.lease.expires_at is 'Until when, unless it renews the lease.';

create table data.probe (
    server_id bigint not null,
    asked_at timestamptz not null,
    detail text not null,
    tools jsonb,
    constraint probe_pkey primary key (server_id),
    constraint probe_of_server foreign key (server_id) references data.every_server
) with (fillfactor = 50);
comment on table data.probe is
'The last probe of a server, also where it said nothing about its health.';
comment on column data.probe.server_id is 'Server.';
comment on column data.probe.asked_at is 'When the probe began.';
comment on column data.probe.detail is 'What it found, or why the server was not asked.';
comment on column data.probe.tools is
'The tools that the server listed last: {name: digest of the input schema}. Null while it has listed none.';
