-- Health: reports, the state of each signal of a server, and the intervals of its history.

create table data.health_report (
    server_id bigint not null,
    signal text not null,
    ts timestamptz not null,
    status text not null,
    reporter text,
    latency_ms double precision,
    detail text,
    received_at timestamptz not null,
    constraint signal_known check (signal in ('probe', 'traffic', 'report')),
    constraint health_status_known check (status in ('up', 'degraded', 'down')),
    constraint latency_in_range check (latency_ms between 0 and 1e9)
);
select create_hypertable(
    'data.health_report', by_range('ts', interval '1 day'), create_default_indexes => false
);
create index health_report_by_server on data.health_report (server_id, signal, ts);
alter table data.health_report set (
    timescaledb.enable_columnstore,
    timescaledb.segmentby = 'server_id',
    timescaledb.orderby = 'signal, ts'
);
comment on table data.health_report is 'What was reported about the health of a server.';
comment on column data.health_report.server_id is 'Server.';
comment on column data.health_report.signal is
'probe for the prober, traffic for what callers see, report for the server itself and for agents.';
comment on column data.health_report.ts is 'Time of the observation.';
comment on column data.health_report.status is 'up, degraded or down.';
comment on column data.health_report.reporter is 'Who reports; null for the service.';
comment on column data.health_report.latency_ms is 'Response time, in milliseconds.';
comment on column data.health_report.detail is 'Reason or further information.';
comment on column data.health_report.received_at is 'Time at which it was stored.';

-- One narrow row for each signal, updated in place: a keep-alive writes nothing else. No index holds
-- a column that changes.
create table data.health_state (
    server_id bigint not null,
    signal text not null,
    status text not null,
    since timestamptz not null,
    last_at timestamptz not null,
    seen_at timestamptz,
    expires_at timestamptz not null,
    recent text[] not null,
    reason text,
    latency_ms double precision,
    detail text,
    constraint health_state_once primary key (server_id, signal),
    constraint health_state_of_server foreign key (server_id) references data.every_server,
    constraint signal_known check (signal in ('keepalive', 'probe', 'traffic', 'report')),
    constraint health_state_known check (status in ('unknown', 'up', 'degraded', 'down')),
    constraint health_state_lasts check (status = 'unknown' or since < expires_at)
) with (fillfactor = 50);
comment on table data.health_state is 'The present state of each signal of a server.';
comment on column data.health_state.server_id is 'Server.';
comment on column data.health_state.signal is 'keepalive, probe, traffic or report.';
comment on column data.health_state.status is 'unknown, up, degraded or down, after thresholds.';
comment on column data.health_state.since is 'Since when the signal has this status.';
comment on column data.health_state.last_at is 'Time of the newest report.';
comment on column data.health_state.seen_at is 'Time of the newest report that says up or degraded.';
comment on column data.health_state.expires_at is 'Until when the newest report counts.';
comment on column data.health_state.recent is 'Statuses of the newest reports, the newest one last.';
comment on column data.health_state.reason is 'Detail of the report that confirmed the status.';
comment on column data.health_state.latency_ms is 'Response time of the newest report, in milliseconds.';
comment on column data.health_state.detail is 'Detail of the newest report.';

create table data.health_interval (
    server_id bigint not null,
    signal text not null,
    status text not null,
    during tstzrange not null,
    reason text,
    constraint health_interval_once exclude using gist (server_id with =, signal with =, during with &&),
    constraint health_interval_of_server foreign key (server_id) references data.every_server,
    constraint signal_known check (signal in ('keepalive', 'probe', 'traffic', 'report')),
    constraint health_status_known check (status in ('up', 'degraded', 'down')),
    constraint health_interval_closed check (
        not isempty(during) and not lower_inf(during) and not upper_inf(during)
    )
);
-- Holds all that a question about a range of time reads.
create index health_interval_by_server on data.health_interval (server_id, upper(during))
include (status, during);
comment on table data.health_interval is
'Statuses that a signal of a server has had; the time between them is unknown. The present one is in
data.health_state.';
comment on column data.health_interval.server_id is 'Server.';
comment on column data.health_interval.signal is 'keepalive, probe, traffic or report.';
comment on column data.health_interval.status is 'up, degraded or down.';
comment on column data.health_interval.during is 'From when until when.';
comment on column data.health_interval.reason is 'Detail of the report that confirmed the status.';

create type data.health_step as (
    status text,
    since timestamptz,
    last_at timestamptz,
    expires_at timestamptz,
    recent text [],
    reason text,
    ended_status text,
    ended tstzrange,
    ended_reason text
);
comment on type data.health_step is
'The state of a signal after a report, and the status that ended with it; null where none ended.';

-- No index: rows are updated every few seconds.
create table data.service_uptime (
    during tstzrange not null,
    process uuid not null default gen_random_uuid(),
    constraint service_uptime_closed check (
        not isempty(during) and not lower_inf(during) and not upper_inf(during)
    )
);
comment on table data.service_uptime is
'When this service was running. Outside of it, the health of every server is unknown.';
comment on column data.service_uptime.during is
'From the start of a process until it last said that it runs.';
comment on column data.service_uptime.process is 'The process.';
