-- Audit: who changed what.

create table data.audit_event (
    number bigint not null,
    at timestamptz not null,
    actor text not null,
    namespace text not null,
    action text not null,
    object_type text not null,
    object_name text not null,
    document jsonb not null,
    previous_hash bytea not null,
    hash bytea not null,
    constraint audit_event_once primary key (number, at),
    constraint number_counted check (number > 0),
    constraint hash_complete check (octet_length(hash) = 32)
);
select create_hypertable(
    'data.audit_event', by_range('at', interval '90 days'), create_default_indexes => false
);
create index audit_event_by_time on data.audit_event (at, number);
create index audit_event_by_object on data.audit_event (object_type, object_name, at, number);
comment on table data.audit_event is
'Who changed what, each row with the hash of the one before. Rows are never changed and never deleted.';
comment on column data.audit_event.number is 'Number of the event: 1, 2 and so on, without a gap.';
comment on column data.audit_event.at is 'When the change was committed.';
comment on column data.audit_event.actor is
'Who made it: the identity that the service names, else the login.';
comment on column data.audit_event.namespace is 'Namespace of the object; empty for the default one.';
comment on column data.audit_event.action is
'What was done: insert, update, delete, or a name that a function gives.';
comment on column data.audit_event.object_type is 'Type of the object, such as alert_rule.';
comment on column data.audit_event.object_name is 'Name or id of the object.';
comment on column data.audit_event.document is
'What has changed, by member: {old, new}; an empty object where the values are not recorded.';
comment on column data.audit_event.previous_hash is 'Hash of the event before; empty for the first one.';
comment on column data.audit_event.hash is 'SHA-256 of the other columns; see internal.audit_hash.';

-- It says that events are missing where the last ones were deleted. Its row lock is what gives events
-- their order.
create table data.audit_head (
    single boolean not null default true,
    number bigint not null,
    hash bytea not null,
    constraint audit_head_pkey primary key (single),
    constraint audit_head_single check (single)
) with (fillfactor = 50);
comment on table data.audit_head is 'The last event of the audit.';
comment on column data.audit_head.single is 'There is one row.';
comment on column data.audit_head.number is 'Number of the last event; 0 before the first one.';
comment on column data.audit_head.hash is 'Hash of the last event; empty before the first one.';
insert into data.audit_head (number, hash) values (0, '');
