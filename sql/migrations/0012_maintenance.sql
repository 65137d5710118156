-- Maintenance windows and the numbers that they restate.

create table data.every_maintenance (
    maintenance_id text not null,
    server_id bigint not null,
    during tstzrange not null,
    author text not null,
    reason text not null,
    recorded tstzrange not null,
    cancelled_by text,
    cancelled_reason text,
    namespace text not null default internal.namespace(),
    constraint namespace_well_formed check (internal.fits(namespace, 'namespace')),
    constraint maintenance_id_well_formed check (internal.fits(maintenance_id, 'identifier')),
    constraint maintenance_of_server foreign key (server_id) references data.every_server,
    constraint maintenance_once exclude using gist (
        maintenance_id with =, server_id with =, recorded with &&
    ),
    constraint maintenance_closed check (
        not isempty(during) and not lower_inf(during) and not upper_inf(during)
    ),
    constraint author_well_formed check (internal.fits(author, 'owner')),
    constraint reason_in_range check (length(reason) between 1 and 1000),
    constraint recorded_valid check (
        not isempty(recorded) and lower_inc(recorded) and not upper_inc(recorded)
    ),
    constraint cancelled_by_well_formed check (internal.fits(cancelled_by, 'owner')),
    constraint cancelled_reason_in_range check (length(cancelled_reason) between 1 and 1000),
    constraint cancelled_by_someone check (num_nulls(cancelled_by, cancelled_reason) in (0, 2))
);
create index maintenance_by_server on data.every_maintenance using gist (server_id, during);
comment on table data.every_maintenance is
'Time in which a server is not expected to work. Of a row, only its end, and who cancelled it and why,
is written later: recorded says how long it was what the service knew, so that an earlier number can be computed again.';
comment on column data.every_maintenance.maintenance_id is 'Name that its author chose.';
comment on column data.every_maintenance.server_id is 'Server.';
comment on column data.every_maintenance.during is 'From when until when.';
comment on column data.every_maintenance.author is 'Who planned it.';
comment on column data.every_maintenance.reason is 'Why.';
comment on column data.every_maintenance.recorded is 'From when until when this was the plan.';
comment on column data.every_maintenance.cancelled_by is 'Who cancelled it; null where nobody did.';
comment on column data.every_maintenance.cancelled_reason is 'Why.';
comment on column data.every_maintenance.namespace is 'Namespace; empty for the default one.';

create view data.maintenance with (check_option = cascaded) as
select
    maintenance_id,
    server_id,
    during,
    author,
    reason,
    recorded,
    cancelled_by,
    cancelled_reason,
    namespace
from data.every_maintenance
where namespace = coalesce(current_setting('supervisor.namespace', true), '');
comment on view data.maintenance is 'The maintenance windows of the namespace that the transaction works in.';

create table data.sla_restatement (
    sla_restatement_id bigint generated always as identity,
    server_id bigint not null,
    maintenance_id text not null,
    during tstzrange not null,
    author text not null,
    reason text not null,
    before json not null,
    after json not null,
    restated_at timestamptz not null,
    constraint sla_restatement_pkey primary key (sla_restatement_id),
    constraint sla_restatement_of_server foreign key (server_id) references data.every_server
);
create index sla_restatement_by_server on data.sla_restatement (server_id, restated_at);
comment on table data.sla_restatement is 'A change of the SLA of a time that had passed.';
comment on column data.sla_restatement.sla_restatement_id is 'Number of the restatement.';
comment on column data.sla_restatement.server_id is 'Server.';
comment on column data.sla_restatement.maintenance_id is 'Window that was added, changed or cancelled.';
comment on column data.sla_restatement.during is 'Time whose numbers have changed.';
comment on column data.sla_restatement.author is 'Who changed it.';
comment on column data.sla_restatement.reason is 'Why.';
comment on column data.sla_restatement.before is 'SLA of 7d, 30d and 90d that was published before.';
comment on column data.sla_restatement.after is 'SLA of 7d, 30d and 90d since.';
comment on column data.sla_restatement.restated_at is 'When it was changed.';
