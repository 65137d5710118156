create or replace view ops.audit as
select
    number,
    at,
    actor,
    namespace,
    action,
    object_type,
    object_name,
    document,
    encode(previous_hash, 'hex') as previous_hash,
    encode(hash, 'hex') as hash
from data.audit_event;
comment on view ops.audit is
'Who changed what, of all namespaces. ops.verify_audit() says whether it is whole.';
comment on column ops.audit.number is 'Number of the event: 1, 2 and so on, without a gap.';
comment on column ops.audit.at is 'When the change was committed.';
comment on column ops.audit.actor is 'Who made it: the identity that the service names, else the login.';
comment on column ops.audit.namespace is 'Namespace of the object; empty for the default one.';
comment on column ops.audit.action is
'What was done: insert, update, delete, or a name that a function gives.';
comment on column ops.audit.object_type is 'Type of the object, such as alert_rule.';
comment on column ops.audit.object_name is 'Name or id of the object.';
comment on column ops.audit.document is
'What has changed, by member: {old, new}; an empty object where the values are not recorded.';
comment on column ops.audit.previous_hash is
'Hash of the event before, in hexadecimal; empty for the first one.';
comment on column ops.audit.hash is 'SHA-256 of the event; see internal.audit_hash.';
